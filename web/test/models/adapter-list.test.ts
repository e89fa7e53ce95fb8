import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../../src/api/client";
import { AdapterListModel, stateOf } from "../../src/models/adapter-list";
import { AdaptersModel } from "../../src/models/adapters";
import { SessionsModel } from "../../src/models/sessions";
import { adapter, session } from "../examples";
import { FakeStore } from "../fake-service";

describe("the list of adapters", () => {
  let list: AdapterListModel;
  let adapters: AdaptersModel;
  let sessions: SessionsModel;
  const names = () => list.shown.value.map(({ name }) => name);

  beforeEach(() => {
    const client = new Client("ws://127.0.0.1", new FakeStore());
    adapters = new AdaptersModel(client);
    sessions = new SessionsModel(client);
    list = new AdapterListModel(adapters, sessions);
    adapters.reset([
      adapter({ guid: "b", name: "Net 10", addresses: ["10.9.1.1/24"] }),
      adapter({ guid: "a", name: "Net 9", mtu: 9000 }),
      adapter({ guid: "c", name: "Lab", pool: "WireGuard", managed: false }),
    ]);
  });

  it("begins with those that run, then goes by name", () => {
    sessions.put(session({ adapter: "b", state: "running" }));
    expect(names()).toEqual(["Net 10", "Net 9", "Lab"]);
  });

  it("is sorted by name, numbers as numbers", () => {
    list.sortBy("name");
    expect(names()).toEqual(["Lab", "Net 9", "Net 10"]);
    list.sortBy("name");
    expect(names()).toEqual(["Net 10", "Net 9", "Lab"]);
  });

  it("is searched by name and address", () => {
    const found = ["net 1", " 10.9.1", "LAB", "nothing"].map((text) => {
      list.search.value = text;
      return names();
    });
    expect(found).toEqual([["Net 10"], ["Net 10"], ["Lab"], []]);
  });

  it("begins with the largest of a column of numbers", () => {
    list.sortBy("mtu");
    expect(names()[0]).toBe("Net 9");
    list.sortBy("mtu");
    expect(names().at(-1)).toBe("Net 9");
  });

  it("begins with those that are up", () => {
    sessions.put(session({ adapter: "b", state: "running" }));
    list.sortBy("name");
    list.sortBy("state");
    expect(names()[0]).toBe("Net 10");
  });
});

describe("the state of an adapter", () => {
  it("is up only while its link is", () => {
    const running = session({ state: "running" });
    expect(stateOf(adapter({ state: "up" }), running)).toBe("up");
    expect(stateOf(adapter({ state: "down" }), running)).toBe("down");
    expect(stateOf(adapter(), session({ state: "ended" }))).toBe("no session");
    expect(stateOf(adapter({ managed: false }), undefined)).toBe("not opened");
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import * as address from "../../src/views/address";
import { TABS } from "../../src/views/tabs";

describe("the address", () => {
  beforeEach(() => {
    history.replaceState(null, "", "#/overview");
    address.readAddress();
  });

  it("names a view and its parameters", () => {
    expect(address.placeOf("#/packets?adapter=Office%20Net&filter=tcp.port+%3D%3D+443")).toEqual({
      tab: "packets",
      params: new Map([
        ["adapter", "Office Net"],
        ["filter", "tcp.port == 443"],
      ]),
    });
  });

  it("shows the overview where it names no view", () => {
    expect([address.placeOf("").tab, address.placeOf("#/nothing").tab]).toEqual([
      "overview",
      "overview",
    ]);
  });

  it("is written as it is read", () => {
    const place = { tab: "packets", params: new Map([["filter", 'a & "b" = ü?#']]) } as const;
    expect(address.placeOf(address.hashOf(place))).toEqual(place);
  });

  it("has what was set, and nothing that is empty", () => {
    address.goTo("packets", { filter: "tcp", packet: 4 });
    expect(location.hash).toBe("#/packets?filter=tcp&packet=4");
    address.setParam("packet", null);
    address.setParam("filter", "udp");
    expect([location.hash, address.param("filter")]).toEqual(["#/packets?filter=udp", "udp"]);
  });

  it("keeps the parameters of a view that is left", () => {
    address.goTo("packets", { filter: "dns" });
    address.goTo("events");
    expect(address.param("filter")).toBe("");
    expect(address.hrefOf("packets")).toBe("#/packets?filter=dns");
    address.setParam("filter", "arp", { tab: "packets" });
    expect(location.hash).toBe("#/events");
    address.goTo("packets");
    expect(address.param("filter")).toBe("arp");
    address.setParam("filter", "");
  });

  it("names one adapter in all views of packets, and another in the overview", () => {
    address.setParam("adapter", "Beta");
    address.goTo("packets", { adapter: "Alpha" });
    address.goTo("compose");
    expect(address.param("adapter")).toBe("Alpha");
    address.goTo("overview");
    expect(address.param("adapter")).toBe("Beta");
  });

  it("is put right where it names a view that there is not", () => {
    address.setParam("adapter", "Beta");
    history.replaceState(null, "", "#/nonsense?adapter=Alpha");
    address.readAddress();
    expect([location.hash, address.unknownView.value]).toEqual([
      "#/overview?adapter=Beta",
      "nonsense",
    ]);
    history.replaceState(null, "", "#key=a-key");
    address.readAddress();
    expect([location.hash, address.unknownView.value]).toEqual(["#key=a-key", ""]);
  });

  it("has an entry for what lies over a view, which Back takes away and Forward brings", async () => {
    const moved = () => new Promise((done) => addEventListener("popstate", done, { once: true }));
    address.goTo("packets", { packet: 4 });
    address.layOver("a");
    address.layOver("b");
    address.setParam("packet", 5);
    expect([address.over.value, address.param("packet")]).toEqual(["b", "5"]);
    let gone = moved();
    address.takeAway();
    address.takeAway();
    await gone;
    expect([address.over.value, address.currentTab()]).toEqual(["", "packets"]);
    gone = moved();
    history.forward();
    await gone;
    expect(address.over.value).toBe("b");
    address.goTo("events");
    expect(address.over.value).toBe("");
  });

  it("goes back to the view before", async () => {
    address.goTo("packets");
    address.goTo("events");
    const moved = new Promise((done) => addEventListener("popstate", done, { once: true }));
    history.back();
    await moved;
    expect(address.currentTab()).toBe("packets");
  });
});

it("the keys of the views that were there first have not changed", () => {
  expect(TABS.map(({ id }) => id).slice(0, 2)).toEqual(["overview", "packets"]);
});

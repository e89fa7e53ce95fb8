import { afterEach, describe, expect, it } from "vitest";
import { Client } from "../../src/api/client";
import { KEY, keyHeaders, keyOffers, takeKey } from "../../src/api/key";
import { type Asked, eachWithService, FakeStore, newClient, Refusal } from "../fake-service";

describe("the key in the address", () => {
  const before = window.location.href;
  afterEach(() => history.replaceState(null, "", before));

  const at = (hash: string) => history.replaceState(null, "", `${before.split("#")[0]}${hash}`);

  it("is taken out of it, and no entry of the history keeps it", () => {
    const entries = history.length;
    at("#key=a-b_c");
    expect(takeKey()).toBe("a-b_c");
    expect([window.location.hash, history.length]).toEqual(["", entries]);
  });

  it("leaves the places of the page alone", () => {
    for (const hash of ["", "#/overview", "#/packets?key=a", "#monkey=a"]) {
      at(hash);
      expect([takeKey(), window.location.hash]).toEqual([null, hash]);
    }
  });

  it("is none when it cannot be one, and is removed all the same", () => {
    for (const hash of ["#key=", "#key=%zz", "#key=a b", "#key=é", `#key=<img src=x>`]) {
      at(hash);
      expect([takeKey(), window.location.hash]).toEqual([null, ""]);
    }
  });
});

describe("the key of a browser", () => {
  const service = eachWithService();

  /** Know one key. */
  const know = (key: string) =>
    service().answer("GET /v1/system", ({ headers }: Asked) =>
      headers.get("x-wintun-api-key") === key ? {} : new Refusal(401, "No."),
    );

  it("goes with every request", async () => {
    const client = newClient();
    service().answer("GET /v1/adapters", []);
    service().answer("POST /v1/sessions/a/packets", {});
    await client.get("/v1/adapters");
    await client.inject("a", new ArrayBuffer(1));
    const sent = service().asked.map(({ headers }) => headers.get("x-wintun-api-key"));
    expect(sent).toEqual(["the-key", "the-key"]);
  });

  it("is the one that another tab stored last", async () => {
    const store = new FakeStore();
    const client = newClient(store);
    service().answer("GET /v1/adapters", []);
    store.setItem(KEY, "newer");
    await client.get("/v1/adapters");
    expect(service().asked[0]?.headers.get("x-wintun-api-key")).toBe("newer");
  });

  it("is kept when it works", async () => {
    know("good");
    const client = newClient(new FakeStore(null));
    await client.tryKey("good");
    expect(client.key).toBe("good");
  });

  it("does not give way to one that does not work, and the page stays signed in", async () => {
    know("the-key");
    const client = newClient();
    let unauthorized = 0;
    client.onUnauthorized = () => unauthorized++;
    await client.tryKey("x");
    expect([client.key, unauthorized]).toEqual(["the-key", 0]);
  });

  it("does not give way to one that could not be tried", async () => {
    service().isAway = true;
    const client = newClient();
    await expect(client.tryKey("x")).rejects.toThrow("cannot be reached");
    expect(client.key).toBe("the-key");
  });

  it("is offered in base64url without padding, after what can be selected", () => {
    const store = new FakeStore("~~~?>");
    const events = { onMessage: () => undefined, onClose: () => undefined };
    new Client("ws://a", store).open("/b", "c", events);
    expect([service().socket.url, service().socket.protocols]).toEqual([
      "ws://a/b",
      ["c", "key.wintun-api.fn5-Pz4"],
    ]);
  });

  it("is in no header and in no offer where there is none", () => {
    expect([keyHeaders(null), keyOffers(null)]).toEqual([{}, []]);
  });
});

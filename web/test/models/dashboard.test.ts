import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KEY } from "../../src/api/key";
import { Dashboard } from "../../src/models/dashboard";
import type { WorkerPort } from "../../src/models/engine";
import { ThemeModel } from "../../src/models/theme";
import { adapter, capture, GUID, impairment, recorder, session, system, TIME } from "../examples";
import { type Asked, eachWithService, FakeStore, type FarEnd, Refusal } from "../fake-service";

const HOST = "127.0.0.1:9886";

function made(store = new FakeStore(), search = "", protocol = "http:"): Dashboard {
  const theme = new ThemeModel(matchMedia("print"), store, () => undefined);
  return new Dashboard({ protocol, host: HOST, search }, theme, store);
}

describe("the dashboard", () => {
  const service = eachWithService();
  let dashboard: Dashboard;

  beforeEach(() => {
    service().answer("GET /v1/system", system());
    service().answer("GET /v1/driver", { running_version: "0.14" });
    service().answer("GET /v1/sessions", []);
    dashboard = made();
  });
  afterEach(() => dashboard.connection.signOut(""));

  const socketOf = (path: string): FarEnd | undefined =>
    service().sockets.findLast((one) => one.url.includes(path));

  /** Sign in, and be live with one adapter and these sessions. */
  async function live(...sessions: ReturnType<typeof session>[]): Promise<FarEnd> {
    dashboard.capture.want();
    await dashboard.connection.connect();
    const events = service().socket;
    events.accept();
    events.say({ type: "snapshot", id: 0, oldest: 1, time: TIME, adapters: [adapter()], sessions });
    return events;
  }

  const event = (type: string, data: object, id = 1) => ({ type, id, time: TIME, data });

  it("says what a token that may not read allows, and what is needed", async () => {
    service().answer("GET /v1/system", new Refusal(403, "The scope read is missing."));
    await dashboard.connection.connect();
    const reason = (): string => {
      const state = dashboard.connection.state.value;
      return state.name === "signed-out" ? state.reason : state.name;
    };
    expect(reason()).toContain(
      "This token does not have the scope read, so the dashboard cannot be shown.",
    );
    expect(dashboard.signIn.isHeld.value).toBe(true);
  });

  it("starts a worker again when the service that has it is back, and says nothing", async () => {
    const workers: WorkerPort[] = [];
    const startWorker = () => {
      const worker = { postMessage() {}, terminate() {}, onmessage: null, onerror: null };
      workers.push(worker);
      return worker;
    };
    const theme = new ThemeModel(matchMedia("print"), new FakeStore(), () => undefined);
    dashboard = new Dashboard(
      { protocol: "http:", host: HOST, search: "", startWorker },
      theme,
      new FakeStore(),
    );
    const { connection, capture, notices } = dashboard;
    connection.isAway.value = true;
    capture.want();
    for (let i = 0; i < 5; i++) workers.at(-1)?.onerror?.(new ErrorEvent("error"));
    expect([capture.engine.state.value.name, notices.current.value]).toEqual(["failed", null]);
    connection.isAway.value = false;
    expect([workers.length, notices.current.value]).toEqual([6, null]);
    // With the service there it is news, until one works.
    for (let i = 0; i < 5; i++) workers.at(-1)?.onerror?.(new ErrorEvent("error"));
    expect(notices.current.value?.text).toMatch(
      /filters packets failed: It could not be loaded\.$/,
    );
    capture.engine.revive();
    expect(notices.current.value).toBeNull();
  });

  it("shows what the snapshot has", async () => {
    await live(session());
    expect(dashboard.adapters.list.value).toEqual([adapter()]);
    expect(dashboard.sessions.running.value).toEqual([session()]);
  });

  it("follows the packets of the session that runs", async () => {
    await live(session());
    expect(socketOf("/packets")?.url).toContain(`ws://${HOST}/v1/sessions/5f0c9d1e2b3a/packets`);
  });

  it("stays with a session that is over until its adapter has another", async () => {
    const events = await live(session(), session({ id: "other", adapter: "other" }));
    events.say(event("session.ended", session({ state: "ended" })));
    expect(dashboard.capture.session.value).toBe("5f0c9d1e2b3a");
    events.say(event("session.started", session({ id: "next" }), 2));
    expect(dashboard.capture.session.value).toBe("next");
  });

  it("keeps the adapter that is chosen when it is deleted, and chooses no other", async () => {
    const events = await live(session(), session({ id: "other", adapter: "other" }));
    events.say(event("adapter.created", adapter({ guid: "other", name: "Other" })));
    events.say(event("adapter.deleted", adapter(), 2));
    expect([dashboard.chosen.state.value, dashboard.chosen.name.value]).toEqual([
      "gone",
      "OfficeNet",
    ]);
    expect(dashboard.capture.session.value).toBe("5f0c9d1e2b3a");
  });

  describe("while packets are sent at a rate", () => {
    async function sending(): Promise<FarEnd> {
      const events = await live(session());
      await dashboard.loadWorkbench();
      void dashboard.compose.injector.run(
        { make: () => Uint8Array.of(0x45), count: Number.POSITIVE_INFINITY, rate: 1 },
        { guid: GUID, name: "OfficeNet" },
        async () => ({ accepted: 1, rejected: {}, ring_full: 0, refused: {} }),
        1 << 20,
      );
      return events;
    }
    const told = () => [
      dashboard.compose.injector.running.value,
      dashboard.notices.current.value?.text,
    ];

    it("stops when another adapter is chosen, and says so", async () => {
      await sending();
      expect(told()).toEqual([true, undefined]);
      dashboard.chosen.choose({ guid: "other", name: "Other" });
      expect(told()).toEqual([
        false,
        "Sending to OfficeNet stopped, because another adapter was chosen.",
      ]);
    });

    it("stops when the adapter is deleted, and says so", async () => {
      const events = await sending();
      events.say(event("adapter.deleted", adapter()));
      expect(told()).toEqual([
        false,
        "Sending to OfficeNet stopped, because the adapter was deleted.",
      ]);
    });
  });

  it("sends to no adapter that was made again under the same name until it is chosen", async () => {
    const events = await live(session());
    const again = adapter({ guid: "again" });
    events.say(event("adapter.deleted", adapter()));
    events.say(event("adapter.created", again, 2));
    events.say(event("session.started", session({ id: "next", adapter: "again" }), 3));
    const { capture, chosen, target } = dashboard;
    expect([capture.session.value, chosen.state.value]).toEqual(["next", "there"]);
    expect([chosen.targetState.value, target.value]).toEqual(["gone", null]);
    chosen.choose(again);
    expect([chosen.targetState.value, target.value?.id]).toEqual(["there", "next"]);
  });

  it("goes on with an adapter that a service has after it was started again", async () => {
    await live(session());
    service().answer("GET /v1/system", { ...system(), started_at: "2026-01-01T00:00:00Z" });
    await dashboard.connection.connect();
    const events = service().sockets.findLast(({ url }) => url.includes("/events"));
    const again = adapter({ guid: "again" });
    const next = session({ id: "next", adapter: "again" });
    const snapshot = { type: "snapshot", id: 0, oldest: 1, time: TIME };
    events?.accept();
    events?.say({ ...snapshot, adapters: [again], sessions: [next] });
    expect(dashboard.target.value?.id).toBe("next");
  });

  it("says what the adapter was called that was chosen", async () => {
    const events = await live(session());
    const { chosen } = dashboard;
    expect([chosen.name.value, chosen.former.value]).toEqual(["OfficeNet", ""]);
    events.say(event("adapter.changed", adapter({ name: "Lab" }), 2));
    events.say(event("adapter.changed", adapter({ name: "Field" }), 3));
    expect([chosen.name.value, chosen.former.value]).toEqual(["Field", "OfficeNet"]);
    chosen.choose(adapter({ name: "Field" }));
    expect(chosen.former.value).toBe("");
  });

  it("waits for the adapter that the address names", async () => {
    dashboard.chosen.chooseName("Lab");
    const events = await live(session());
    expect([dashboard.chosen.state.value, dashboard.capture.session.value]).toEqual([
      "unknown",
      null,
    ]);
    events.say(event("adapter.created", adapter({ guid: "lab", name: "Lab" })));
    events.say(event("session.started", session({ id: "new", adapter: "lab" }), 2));
    expect(dashboard.capture.session.value).toBe("new");
  });

  it("forgets the sessions of an adapter that went", async () => {
    const events = await live(session());
    events.say(event("adapter.deleted", adapter()));
    expect([dashboard.adapters.list.value, dashboard.sessions.list.value]).toEqual([[], []]);
    expect(dashboard.log.shown().at(-1)?.text).toBe("Adapter OfficeNet was deleted.");
  });

  it("marks the end of an adapter and of its session by the name it had", async () => {
    const events = await live(session());
    events.say(event("adapter.deleted", adapter()));
    events.say(event("session.ended", session({ state: "ended" }), 2));
    const texts = dashboard.traffic.marksOf(Number.POSITIVE_INFINITY, GUID).map(({ text }) => text);
    expect(texts).toEqual(["Adapter OfficeNet was deleted.", "Session on OfficeNet ended."]);
  });

  it("marks the sessions that events say are impaired, and names their adapters", async () => {
    const events = await live(session());
    events.say(event("impairment.set", impairment()));
    expect(dashboard.sessions.impaired.value.map((one) => one.impairment)).toEqual([
      "received delay 60ms",
    ]);
    const step = { session: "5f0c9d1e2b3a", adapter: GUID, count: 1, scenarios: [] };
    events.say(event("impairment.step", { ...step, summary: "received delay 90ms" }, 2));
    expect(dashboard.sessions.impaired.value[0]?.impairment).toBe("received delay 90ms");
    events.say(event("impairment.set", impairment({ summary: "nothing" }), 3));
    expect(dashboard.sessions.impaired.value).toEqual([]);
    events.say(event("impairment.set", impairment(), 4));
    expect(dashboard.sessions.impaired.value.length).toBe(1);
    events.say(event("impairment.removed", impairment(), 5));
    events.say(event("impairment.step", { ...step, summary: "too late" }, 6));
    expect(dashboard.sessions.impaired.value).toEqual([]);
    events.say(event("impairment.removed", impairment(), 7));
    expect(dashboard.log.shown().at(-1)?.text).toContain(
      "Adapter OfficeNet is no longer impaired.",
    );
  });

  it("asks for the driver again when an adapter was made: now it is loaded", async () => {
    const events = await live();
    const before = service().calls("GET /v1/driver").length;
    events.say(event("adapter.created", adapter({ guid: "other", name: "Other" })));
    expect(service().calls("GET /v1/driver").length).toBe(before + 1);
  });

  it("asks for what happened before it came", async () => {
    await dashboard.connection.connect();
    service().socket.accept();
    service().socket.say({
      type: "snapshot",
      id: 9,
      oldest: 1,
      time: TIME,
      adapters: [],
      sessions: [],
    });
    expect(service().socket.url).toBe(`ws://${HOST}/v1/events?since=0`);
    service().socket.say(event("adapter.created", adapter(), 9));
    await Promise.resolve();
    expect(dashboard.log.shown().map((one) => one.id)).toEqual([9]);
  });

  it("forgets what a service said that does not know its sign-in any more, not the packets", async () => {
    await live(session());
    service().answer("GET /v1/sessions", new Refusal(401, "No."));
    dashboard.sessions.watch(() => false);
    await expect.poll(() => dashboard.connection.state.value.name).toBe("signed-out");
    dashboard.sessions.rest();
    expect(dashboard.connection.state.value).toMatchObject({
      reason: expect.stringContaining("The sign-in is no longer valid"),
    });
    expect(dashboard.adapters.list.value).toEqual([]);
    expect([dashboard.capture.session.value, dashboard.capture.state.value.name]).toEqual([
      "5f0c9d1e2b3a",
      "idle",
    ]);
  });

  const stateOf = ({ connection }: Dashboard) => {
    const state = connection.state.value;
    return state.name === "signed-out" ? state.reason : state.name;
  };
  /** Know one key. */
  const know = (key: string) =>
    service().answer("GET /v1/system", ({ headers }: Asked) =>
      headers.get("x-wintun-api-key") === key ? system() : new Refusal(401, "No."),
    );

  it("tells a wrong token in the address from none", async () => {
    const reasonOf = async (search: string) => {
      const other = made(new FakeStore(), search);
      await other.start(false, null, () => true);
      return stateOf(other);
    };
    expect(await reasonOf("?token=wrong")).toContain("The token in the address is wrong");
    expect(await reasonOf("")).toContain("Open the address that wintun-api printed");
  });

  it("asks for the token where there is a cookie and no key, without asking the service", async () => {
    const other = made(new FakeStore(null));
    await other.start(true, null, () => true);
    expect(stateOf(other)).toContain("no longer has the key of its sign-in");
    expect(service().asked).toEqual([]);
  });

  it("asks for the token where the key is an old one", async () => {
    know("another");
    await dashboard.start(true, null, () => true);
    expect(stateOf(dashboard)).toContain("no longer has the key of its sign-in");
  });

  it("connects with the key of a new sign-in", async () => {
    know("new");
    const store = new FakeStore("old");
    const other = made(store);
    await other.start(true, "new", () => true);
    expect([stateOf(other), store.getItem(KEY)]).toEqual(["connecting", "new"]);
    other.connection.signOut("");
  });

  it("stays with the key that works when a link brings another", async () => {
    know("the-key");
    const store = new FakeStore("the-key");
    const other = made(store);
    await other.start(true, "x", () => true);
    expect([stateOf(other), store.getItem(KEY)]).toEqual(["connecting", "the-key"]);
    other.connection.signOut("");
  });

  it("comes back with a key that another tab stored, and leaves when one removed it", async () => {
    const store = new FakeStore(null);
    const other = made(store);
    await other.start(false, null, () => true);
    store.setItem(KEY, "the-key");
    await other.onKeyChanged();
    expect(stateOf(other)).toBe("connecting");
    store.setItem(KEY, null);
    await other.onKeyChanged();
    expect(stateOf(other)).toContain("You are signed out.");
  });

  it("does not come back with a dead key once its token ended", async () => {
    const events = await live();
    events.end(4001, "The token was revoked.");
    expect(stateOf(dashboard)).toContain("The sign-in is no longer valid");
    expect(service().calls("GET /v1/system").length).toBe(1);
  });

  it("speaks to a service behind TLS through TLS", async () => {
    const secure = made(new FakeStore(), "", "https:");
    await secure.connection.connect();
    expect(service().socket.url).toBe(`wss://${HOST}/v1/events`);
    secure.connection.signOut("");
  });

  it("follows recorders and captures as events tell of them", async () => {
    service().answer("GET /v1/captures", []);
    const events = await live(session());
    events.say(event("recorder.set", recorder()));
    expect(dashboard.sessions.find("5f0c9d1e2b3a")?.recorder).toEqual(recorder());
    events.say(event("recorder.removed", recorder(), 2));
    expect(dashboard.sessions.find("5f0c9d1e2b3a")?.recorder).toBeNull();
    dashboard.captures.watch(() => false);
    await vi.waitUntil(() => dashboard.captures.list.value !== null);
    events.say(event("capture.started", capture(), 3));
    expect(dashboard.captures.list.value).toEqual([capture()]);
    events.say(event("capture.deleted", capture(), 4));
    expect(dashboard.captures.list.value).toEqual([]);
    dashboard.captures.rest();
  });
});

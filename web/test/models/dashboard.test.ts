import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Dashboard } from "../../src/models/dashboard";
import { ThemeModel } from "../../src/models/theme";
import { adapter, session, system, TIME } from "../examples";
import { eachWithService, type FarEnd, Refusal } from "../fake-service";

const HOST = "127.0.0.1:9886";

function made(search = "", protocol = "http:"): Dashboard {
  const store = { getItem: () => null, setItem: () => undefined };
  const theme = new ThemeModel(matchMedia("print"), store, () => undefined);
  return new Dashboard({ protocol, host: HOST, search }, theme);
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
    await dashboard.connection.connect();
    const events = service().socket;
    events.accept();
    events.say({ type: "snapshot", id: 0, time: TIME, adapters: [adapter()], sessions });
    return events;
  }

  const event = (type: string, data: object, id = 1) => ({ type, id, time: TIME, data });

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

  it("forgets the sessions of an adapter that went", async () => {
    const events = await live(session());
    events.say(event("adapter.deleted", adapter()));
    expect([dashboard.adapters.list.value, dashboard.sessions.list.value]).toEqual([[], []]);
    expect(dashboard.log.shown().at(-1)?.text).toBe("Adapter OfficeNet is gone.");
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
    service().socket.say({ type: "snapshot", id: 9, time: TIME, adapters: [], sessions: [] });
    expect(service().socket.url).toBe(`ws://${HOST}/v1/events?since=0`);
    service().socket.say(event("adapter.created", adapter(), 9));
    await Promise.resolve();
    expect(dashboard.log.shown().map((one) => one.id)).toEqual([9]);
  });

  it("forgets all of a service that does not know its sign-in any more", async () => {
    await live(session());
    service().answer("GET /v1/sessions", new Refusal(401, "No."));
    dashboard.sessions.watch(() => false);
    await expect.poll(() => dashboard.connection.state.value.name).toBe("signed-out");
    dashboard.sessions.rest();
    expect(dashboard.connection.state.value).toMatchObject({
      reason: expect.stringContaining("The sign-in is not valid any more"),
    });
    expect([dashboard.adapters.list.value, dashboard.capture.session.value]).toEqual([[], null]);
  });

  it("tells a wrong token in the address from none", () => {
    const reasonOf = (search: string) => {
      const other = made(search);
      other.start(false, () => true);
      const state = other.connection.state.value;
      return state.name === "signed-out" ? state.reason : state.name;
    };
    expect(reasonOf("?token=wrong")).toContain("The token in the address is wrong");
    expect(reasonOf("")).toContain("Open the address that wintun-api printed");
  });

  it("speaks to a service behind TLS through TLS", async () => {
    const secure = made("", "https:");
    await secure.connection.connect();
    expect(service().socket.url).toBe(`wss://${HOST}/v1/events`);
    secure.connection.signOut("");
  });
});

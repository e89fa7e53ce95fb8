import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client";
import type { EventMessage } from "../../src/api/events";
import { ConnectionModel } from "../../src/models/connection";
import { adapter, system, TIME } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const URL = "ws://127.0.0.1:9886";
const SNAPSHOT = { type: "snapshot", id: 7, oldest: 8, time: TIME, adapters: [], sessions: [] };
const created = (id: number) => ({ type: "adapter.created", id, time: TIME, data: adapter() });

describe("the connection", () => {
  const service = eachWithService();
  let heard: EventMessage[] = [];
  let refused: string[] = [];
  let client: Client;
  let model: ConnectionModel;

  beforeEach(() => {
    vi.useFakeTimers();
    service().answer("GET /v1/system", system());
    heard = [];
    refused = [];
    client = newClient();
    client.onUnauthorized = () => refused.push("unauthorized");
    model = new ConnectionModel(client, {
      onSystem: () => undefined,
      onMessage: (message) => heard.push(message),
      onRefused: (reason) => refused.push(reason),
    });
  });
  afterEach(() => {
    model.signOut("");
    vi.useRealTimers();
  });

  const state = () => model.state.value.name;
  const live = async () => {
    await model.connect();
    service().socket.accept();
    service().socket.say(SNAPSHOT);
  };

  it("is live with the snapshot, not before", async () => {
    const states = [state()];
    await model.connect();
    service().socket.accept();
    states.push(state());
    service().socket.say(SNAPSHOT);
    expect([...states, state()]).toEqual(["connecting", "syncing", "live"]);
    expect([service().socket.url, heard]).toEqual([`${URL}/v1/events`, [SNAPSHOT]]);
  });

  it("offers a protocol to be selected, and the key beside it", async () => {
    await model.connect();
    expect(service().socket.protocols).toEqual([
      "v1.events.wintun-api",
      "key.wintun-api.dGhlLWtleQ",
    ]);
  });

  it("goes on after what a later service may send without a number", async () => {
    await live();
    service().socket.say({ type: "greeting" });
    service().socket.end(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect(service().socket.url).toBe(`${URL}/v1/events?since=7`);
  });

  it("goes on where it stopped", async () => {
    await live();
    service().socket.say(created(9));
    service().socket.end(1006);
    expect(state()).toBe("lost");
    await vi.advanceTimersByTimeAsync(500);
    expect(service().socket.url).toBe(`${URL}/v1/events?since=9`);
    service().socket.accept(); // and nothing happens: there is nothing to tell
    expect(state()).toBe("live");
  });

  it("begins anew with a service that was started anew", async () => {
    await live();
    service().socket.end(1006);
    service().answer("GET /v1/system", system({ started_at: "2027-01-01T00:00:00Z" }));
    await vi.advanceTimersByTimeAsync(500);
    expect(service().socket.url).toBe(`${URL}/v1/events`);
  });

  it("reads all anew when events were missed", async () => {
    await live();
    service().socket.say({ type: "missed", count: 3 });
    await vi.advanceTimersByTimeAsync(0);
    expect(service().sockets.map((one) => one.url)).toEqual([
      `${URL}/v1/events`,
      `${URL}/v1/events`,
    ]);
    expect(service().sockets[0]?.closed).toBe(true);
  });

  it("remembers that the service was stopped while it does not answer", async () => {
    await live();
    service().socket.end(1001);
    service().isAway = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(model.state.value).toMatchObject({ name: "lost", stopped: true });
    service().isAway = false;
    await vi.advanceTimersByTimeAsync(20_000);
    service().socket.end(1006);
    expect(model.state.value).toMatchObject({ stopped: false });
  });

  it("tells a service that stopped from a connection that broke", async () => {
    await live();
    service().socket.end(1001);
    expect(model.state.value).toMatchObject({ stopped: true, reason: "The service was stopped." });
    await vi.advanceTimersByTimeAsync(500);
    service().socket.end(1006);
    expect(model.state.value).toMatchObject({ stopped: false });
  });

  it("stays away when an administrator ended it, until it is told to connect", async () => {
    await live();
    service().socket.end(4002, "An administrator did it.");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(model.state.value).toEqual({
      name: "disconnected",
      reason: "An administrator did it.",
    });
    await model.connect();
    expect(service().socket.url).toBe(`${URL}/v1/events?since=7`);
  });

  it("waits longer after each failure, ten seconds at most", async () => {
    service().isAway = true;
    const waits: number[] = [];
    await model.connect();
    for (let attempt = 0; attempt < 8; attempt++) {
      if (model.state.value.name === "lost") waits.push(model.state.value.retryAt - Date.now());
      await vi.advanceTimersByTimeAsync(waits.at(-1) ?? 0);
    }
    for (const [attempt, wait] of waits.entries()) {
      const longest = Math.min(10_000, 500 * 2 ** attempt);
      expect(wait).toBeGreaterThanOrEqual(longest / 2);
      expect(wait).toBeLessThanOrEqual(longest);
    }
    expect(waits.length).toBe(8);
  });

  it("does not wait when it is told to try now", async () => {
    service().isAway = true;
    await model.connect();
    service().isAway = false;
    model.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(service().sockets.length).toBe(1);
  });

  it("is refused for good without a valid token", async () => {
    await live();
    service().socket.end(4001, "revoked");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([refused, service().sockets.length]).toEqual([["unauthorized"], 1]);
  });

  it("is refused with the reason where the token may not read", async () => {
    service().answer(
      "GET /v1/system",
      new Refusal(403, "Scope read is missing.", { hint: "Ask." }),
    );
    await model.connect();
    expect(refused).toEqual(["Scope read is missing. Ask."]);
  });

  it("stays away after a sign-out, whatever is still to come", async () => {
    const connecting = model.connect();
    model.signOut("Bye.");
    await connecting;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(model.state.value).toEqual({ name: "signed-out", reason: "Bye." });
    expect(service().sockets).toEqual([]);
  });
});

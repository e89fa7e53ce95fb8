import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ImpairmentModel } from "../../src/models/impairment";
import { SessionsModel } from "../../src/models/sessions";
import { fates, impairment, rule, session } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const ID = "5f0c9d1e2b3a";
const PATH = `/v1/sessions/${ID}/impairment`;

describe("the impairment of a session", () => {
  const service = eachWithService();
  let sessions: SessionsModel;
  let model: ImpairmentModel;

  beforeEach(() => {
    vi.useFakeTimers();
    service().answer("GET /v1/impairments/presets", []);
    sessions = new SessionsModel(newClient());
    sessions.put(session());
    model = new ImpairmentModel(sessions, ID);
  });
  afterEach(() => {
    model.rest();
    vi.useRealTimers();
  });

  const impaired = () => sessions.put(session({ impairment: "received delay 60ms" }));
  const reads = () => service().calls(`GET ${PATH}`).length;
  const watched = async (milliseconds = 0, hidden = false) => {
    model.watch(() => hidden);
    await vi.advanceTimersByTimeAsync(milliseconds);
  };

  it("is not asked for while there is none", async () => {
    await watched(3000);
    expect([reads(), model.active.value]).toEqual([0, null]);
  });

  it("is read once a second while it is shown, with its counters", async () => {
    impaired();
    let packets = 0;
    service().answer(`GET ${PATH}`, () => impairment({ received: fates((packets += 10)) }));
    await watched(2500);
    expect([reads(), model.last.value?.received.offered.packets]).toEqual([3, 30]);
    model.rest();
    await vi.advanceTimersByTimeAsync(5000);
    expect(reads()).toBe(3);
  });

  it("is not read while the page is hidden", async () => {
    impaired();
    await watched(2500, true);
    expect(reads()).toBe(0);
  });

  it("is set as the form says, and marks its session at once", async () => {
    await watched();
    service().answer(`PUT ${PATH}`, impairment());
    model.form.set("delay_ms", "60");
    expect(await model.apply()).toEqual(impairment());
    const [asked] = service().calls(`PUT ${PATH}`);
    const one = { delay_ms: 60 };
    expect(asked?.body).toEqual({ received: one, injected: one, on_change: "deliver" });
    expect(sessions.find(ID)?.impairment).toBe("received delay 60ms");
    expect([model.active.value?.seed, model.form.changed.value]).toEqual([7, false]);
  });

  it("is not asked for by an empty form, or by one that has errors", async () => {
    expect(await model.apply()).toBeNull();
    model.form.set("loss", "200");
    expect(await model.apply()).toBeNull();
    expect(service().calls(`PUT ${PATH}`)).toEqual([]);
  });

  it("shows at its field what the service refuses", async () => {
    const errors = [{ field: "received.jitter_ms", message: "It needs a delay." }];
    service().answer(`PUT ${PATH}`, new Refusal(422, "Wrong.", { errors }));
    model.form.set("jitter_ms", "5");
    expect(await model.apply()).toBeNull();
    expect([model.form.error("jitter_ms"), model.problem.value]).toEqual([
      "It needs a delay.",
      null,
    ]);
  });

  it("shows above the form what belongs to no field, until the next attempt", async () => {
    service().answer(`PUT ${PATH}`, new Refusal(409, "The session has ended."));
    model.form.set("loss", "5");
    await model.apply();
    expect(model.problem.value?.detail).toBe("The session has ended.");
    service().answer(`PUT ${PATH}`, impairment());
    await model.apply();
    expect(model.problem.value).toBeNull();
  });

  it("leaves its last counters when it is removed", async () => {
    impaired();
    service().answer(`GET ${PATH}`, impairment());
    await watched();
    service().answer(`DELETE ${PATH}`, impairment({ received: fates(100, { lost: 2 }) }));
    expect(await model.remove()).not.toBeNull();
    expect([model.active.value, model.last.value?.received.lost.packets]).toEqual([null, 2]);
    expect(sessions.find(ID)?.impairment).toBeNull();
  });

  it("follows what another program sets, and shows it in the form", async () => {
    await watched();
    const now_received = { loss: 0.05 };
    const set = impairment({ rules: [rule({ now_received })], set_at: "2026-01-02T03:04:06Z" });
    service().answer(`GET ${PATH}`, set);
    sessions.putImpairment(set, false);
    expect([model.active.value, model.form.value("loss")]).toEqual([set, "5"]);
    sessions.putImpairment(set, true);
    expect(model.active.value).toBeNull();
  });

  it("does not take an answer that is older than what was said since", async () => {
    impaired();
    service().answer(`GET ${PATH}`, () => {
      if (reads() === 1) sessions.putImpairment(impairment({ seed: 8 }), true);
      return impairment();
    });
    await watched();
    expect([reads(), model.active.value, model.last.value?.seed]).toEqual([1, null, 8]);
  });

  it("never undoes what is typed, until that is reset", async () => {
    await watched();
    model.form.set("loss", "9");
    sessions.putImpairment(impairment(), false);
    expect([model.active.value, model.form.value("loss")]).toEqual([impairment(), "9"]);
    model.reset();
    expect([model.form.value("loss"), model.form.value("delay_ms")]).toEqual(["", "60"]);
  });

  it("does not take what is told of another session", async () => {
    await watched();
    sessions.put(session({ id: "other", adapter: "other" }));
    sessions.putImpairment(impairment({ session: "other" }), false);
    expect(model.active.value).toBeNull();
  });

  it.each([
    ["a match", [rule({ match: { protocol: "tcp" } })]],
    ["two rules", [rule(), rule()]],
    ["a scenario", [rule({ scenario: { steps: [{ at: 0 }] } })]],
  ])("is not put into the form where it has %s", async (_what, rules) => {
    await watched();
    sessions.putImpairment(impairment({ rules }), false);
    expect([model.isForeign.value, model.form.isEmpty.value]).toEqual([true, true]);
  });

  it("is replaced beginning with what holds now, not with what was set before", async () => {
    await watched();
    sessions.putImpairment(impairment({ rules: [rule({ preset: "3g" })] }), false);
    model.reset();
    const now = { now_received: { delay_ms: 90 } as never, now_injected: null };
    const rules = [rule({ ...now, scenario: { steps: [{ at: 0 }] } })];
    sessions.putImpairment(impairment({ rules, set_at: "2026-01-02T00:00:00Z", seed: 9 }), false);
    model.replace();
    const { form } = model;
    form.side.value = "received";
    expect([form.value("delay_ms"), form.state.value.preset, form.state.value.seed]).toEqual([
      "90",
      "",
      "9",
    ]);
  });

  it("is replaced with what was typed, where something was", async () => {
    await watched();
    model.form.set("loss", "9");
    const rules = [rule(), rule()];
    sessions.putImpairment(impairment({ rules }), false);
    model.replace();
    expect(model.form.value("loss")).toBe("9");
  });

  it("is gone where the service answers 404", async () => {
    impaired();
    service().answer(`GET ${PATH}`, impairment());
    await watched();
    service().answer(`GET ${PATH}`, new Refusal(404, "Gone."));
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.active.value).toBeNull();
  });

  it("stays as it was while the service is away", async () => {
    impaired();
    service().answer(`GET ${PATH}`, impairment());
    await watched();
    service().isAway = true;
    await vi.advanceTimersByTimeAsync(3000);
    expect(model.active.value).toEqual(impairment());
  });
});

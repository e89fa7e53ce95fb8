import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SessionsModel } from "../../src/models/sessions";
import { counters, GUID, impairment, recorder, session } from "../examples";
import { eachWithService, newClient } from "../fake-service";

const ids = (model: SessionsModel) => model.list.value.map((one) => one.id);

describe("the sessions", () => {
  it("run from their start on", () => {
    const model = new SessionsModel(newClient());
    model.reset([
      session({ id: "a", state: "starting" }),
      session({ id: "b", state: "failed" }),
      session({ id: "c", state: "ended" }),
    ]);
    expect(model.running.value.map((one) => one.id)).toEqual(["a"]);
  });

  it("give an adapter its newest", () => {
    const model = new SessionsModel(newClient());
    model.reset([
      session({ id: "new", started_at: "2026-01-02T03:04:06Z" }),
      session({ id: "old", state: "ended" }),
      session({ id: "foreign", adapter: "other", started_at: "2027-01-01T00:00:00Z" }),
    ]);
    expect(model.of(GUID)?.id).toBe("new");
  });

  it("keep one of an adapter's that are over", () => {
    const model = new SessionsModel(newClient());
    for (const id of ["a", "b", "c"]) {
      model.put(session({ id }));
      model.put(session({ id, state: "ended" }));
    }
    expect(ids(model)).toEqual(["c"]);
  });

  it("went with a service that was started again, unless they had been ended", () => {
    const model = new SessionsModel(newClient());
    const reason = "The service is shutting down.";
    const before = [
      session({ id: "ran" }),
      session({ id: "stopping", adapter: "b", state: "ended", reason }),
      session({ id: "ended", adapter: "c", state: "ended", reason: "It was ended on request." }),
    ];
    const which = () => [...before, { id: null }].filter(({ id }) => model.stoppedWithService(id));
    model.reset(before);
    model.reset([]);
    expect(which()).toEqual([]);
    model.reset(before);
    model.reset([], true);
    expect(which().map(({ id }) => id)).toEqual(["ran", "stopping"]);
    model.reset([session({ id: "ran" })]);
    expect(which().map(({ id }) => id)).toEqual(["stopping"]);
  });

  it("go with their adapter, and their rates with them", () => {
    const model = new SessionsModel(newClient());
    model.reset([session(), session({ id: "other", adapter: "other" })]);
    const rates = model.rates("5f0c9d1e2b3a");
    model.forget(GUID);
    expect(ids(model)).toEqual(["other"]);
    expect(model.rates("5f0c9d1e2b3a")).not.toBe(rates);
  });
});

describe("the impaired sessions", () => {
  it("are those that run and that the service says it of", () => {
    const model = new SessionsModel(newClient());
    model.reset([
      session({ id: "a", impairment: "received loss 2%" }),
      session({ id: "b", adapter: "other" }),
      session({ id: "c", adapter: "third", state: "ended", impairment: "received loss 2%" }),
      session({ id: "d", adapter: "fourth", impairment: "" }),
    ]);
    expect(model.impaired.value.map((one) => one.id)).toEqual(["a", "d"]);
    const lines = [GUID, "other", "third", "fourth", "unknown"].map((one) =>
      model.impairmentOf(one),
    );
    expect(lines).toEqual(["received loss 2%", null, null, "", null]);
  });

  it("are marked by an event, and no longer when it says so", () => {
    const model = new SessionsModel(newClient());
    model.put(session());
    model.putImpairment(impairment(), false);
    expect(model.impairmentOf(GUID)).toBe("received delay 60ms");
    model.putImpairment(impairment(), true);
    expect(model.impairmentOf(GUID)).toBeNull();
    model.putImpairment(impairment({ session: "gone" }), false);
    expect(model.list.value.length).toBe(1);
  });
});

describe("the counters of the sessions", () => {
  const service = eachWithService();
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A model whose service counts ten packets more each time it is asked. */
  function counted(): SessionsModel {
    const model = new SessionsModel(newClient());
    model.put(session());
    let packets = 0;
    service().answer("GET /v1/sessions", () => {
      packets += 10;
      return [session({ counters: counters(packets) })];
    });
    return model;
  }

  const reads = () => service().calls("GET /v1/sessions").length;

  it("are read once a second, and become rates", async () => {
    const model = counted();
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(2500);
    model.rest();
    expect(reads()).toBe(3);
    expect(model.find("5f0c9d1e2b3a")?.counters.received.packets).toBe(30);
    expect(model.rates("5f0c9d1e2b3a").received).toEqual([10, 10]);
  });

  it("are not read while the page is hidden", async () => {
    const model = counted();
    model.watch(() => true);
    await vi.advanceTimersByTimeAsync(2500);
    model.rest();
    expect(reads()).toBe(0);
  });

  it("are not read while no session runs", async () => {
    const model = counted();
    model.put(session({ state: "ended" }));
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(2500);
    model.rest();
    expect(reads()).toBe(0);
  });

  it("are not read any more after `rest`", async () => {
    const model = counted();
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(500);
    model.rest();
    await vi.advanceTimersByTimeAsync(5000);
    expect(reads()).toBe(1);
  });

  it("do not undo what was said of an impairment since they were asked for", async () => {
    const model = new SessionsModel(newClient());
    model.put(session());
    service().answer("GET /v1/sessions", () => {
      if (reads() === 1) model.putImpairment(impairment(), false);
      return [session()];
    });
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(500);
    expect(model.impairmentOf(GUID)).toBe("received delay 60ms");
    await vi.advanceTimersByTimeAsync(1000);
    model.rest();
    expect(model.impairmentOf(GUID)).toBeNull();
  });

  it("stay as they were while the service is away", async () => {
    const model = counted();
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(500);
    service().isAway = true;
    await vi.advanceTimersByTimeAsync(3000);
    model.rest();
    expect(model.find("5f0c9d1e2b3a")?.counters.received.packets).toBe(10);
  });
});

describe("the recorder of a session", () => {
  const service = eachWithService();
  const path = "/v1/sessions/5f0c9d1e2b3a/recorder";
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is switched on and off, and the session has it meanwhile", async () => {
    const model = new SessionsModel(newClient());
    model.put(session());
    service().answer(`PUT ${path}`, recorder());
    service().answer(`DELETE ${path}`, recorder({ packets: 7 }));
    await model.record("5f0c9d1e2b3a", { seconds: 120 });
    expect(service().calls(`PUT ${path}`)[0]?.body).toEqual({ seconds: 120 });
    expect(model.find("5f0c9d1e2b3a")?.recorder).toEqual(recorder());
    expect((await model.forgetRecorded("5f0c9d1e2b3a")).packets).toBe(7);
    expect(model.find("5f0c9d1e2b3a")?.recorder).toBeNull();
  });

  it("is as an event told it, when the counters that are read are older", async () => {
    const model = new SessionsModel(newClient());
    model.put(session());
    service().answer("GET /v1/sessions", () => {
      model.putRecorder(recorder(), false);
      return [session({ recorder: null })];
    });
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(0);
    expect(model.find("5f0c9d1e2b3a")?.recorder).toEqual(recorder());
    service().answer("GET /v1/sessions", [session({ recorder: recorder({ packets: 11 }) })]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.find("5f0c9d1e2b3a")?.recorder?.packets).toBe(11);
    model.rest();
  });

  it("does not come back for a session that is not known", () => {
    const model = new SessionsModel(newClient());
    model.putRecorder(recorder(), false);
    expect(model.list.value).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { ProblemError } from "../../src/api/client";
import type { InjectionReport } from "../../src/api/types";
import { dueAt, Injector, isShort, type Plan } from "../../src/models/injector";
import { unpack } from "../../src/wire/batch";

const MESSAGE = 1 << 20;
const OFFICE = { guid: "a", name: "OfficeNet" };
const packet = (index: number) => Uint8Array.of(0x45, index & 0xff);
const plan = (changes: Partial<Plan> = {}): Plan => ({
  make: packet,
  count: 1,
  rate: null,
  ...changes,
});

/** A service that takes all, and remembers how many packets each message had. */
function taking(counts: number[]) {
  return async (message: ArrayBuffer): Promise<InjectionReport> => {
    const count = unpack(message).reduce((sum, batch) => sum + batch.count, 0);
    counts.push(count);
    return { accepted: count, rejected: {}, ring_full: 0 } as InjectionReport;
  };
}

describe("an injection", () => {
  it("is cut into messages that the service takes", async () => {
    const counts: number[] = [];
    const injector = new Injector();
    await injector.run(plan({ count: 100 }), OFFICE, taking(counts), 32 + 40 * 4);
    expect(counts).toEqual([40, 40, 20]);
    expect(injector.report.value).toMatchObject({ sent: 100, accepted: 100 });
  });

  it("sums up what became of its packets, by reason", async () => {
    const injector = new Injector();
    const answer: InjectionReport = {
      accepted: 0,
      rejected: { bad_version: 1 },
      ring_full: 1,
      refused: { link_down: 3 },
    };
    await injector.run(plan({ count: 4 }), OFFICE, async () => answer, 32 + 2 * 4);
    expect(injector.report.value).toMatchObject({
      sent: 4,
      accepted: 0,
      ringFull: 2,
      rejected: { bad_version: 2, link_down: 6 },
    });
  });

  it("ends with the first error, and says it with its hint", async () => {
    const injector = new Injector();
    const problem = { type: "x", title: "x", status: 404, detail: "No such session.", hint: "Go." };
    await injector.run(
      plan({ count: 9 }),
      OFFICE,
      () => Promise.reject(new ProblemError(problem)),
      MESSAGE,
    );
    expect(injector.problem.value).toMatchObject({ detail: "No such session.", hint: "Go." });
    expect(injector.running.value).toBe(false);
  });

  it("without an end goes on until it is stopped", async () => {
    const counts: number[] = [];
    const injector = new Injector();
    const take = taking(counts);
    const endless = plan({ count: Number.POSITIVE_INFINITY });
    await injector.run(
      endless,
      OFFICE,
      (message) => {
        if (counts.length === 2) injector.stop();
        return take(message);
      },
      MESSAGE,
    );
    expect(counts.length).toBe(3);
    expect(injector.running.value).toBe(false);
    expect(injector.report.value).toSatisfy((report) => !isShort(report));
  });

  it("that was stopped knows how many it should have sent", async () => {
    const injector = new Injector();
    const take = taking([]);
    const send = (message: ArrayBuffer) => {
      injector.stop();
      return take(message);
    };
    await injector.run(plan({ count: 10_000 }), OFFICE, send, MESSAGE);
    expect(injector.report.value).toMatchObject({ sent: 4096, wanted: 10_000 });
    expect(injector.report.value).toSatisfy(isShort);
    await injector.run(plan({ count: 3 }), OFFICE, take, MESSAGE);
    expect(injector.report.value).toSatisfy((report) => !isShort(report));
  });

  it("does not count what a run before it is still told", async () => {
    const injector = new Injector();
    const late = Promise.withResolvers<InjectionReport>();
    const first = injector.run(plan(), OFFICE, () => late.promise, MESSAGE);
    injector.stop();
    await injector.run(plan({ count: 2 }), { guid: "b", name: "Other" }, taking([]), MESSAGE);
    late.resolve({ accepted: 1, rejected: {}, ring_full: 0 } as InjectionReport);
    await first;
    expect(injector.report.value).toMatchObject({ sent: 2, accepted: 2 });
    expect(injector.destination.value?.name).toBe("Other");
  });

  it("at a rate has sent as many as are due, the first at once", () => {
    const steady = plan({ count: 50, rate: 20 });
    expect([0, 49, 50, 1000, 60_000].map((elapsed) => dueAt(steady, elapsed))).toEqual([
      1, 1, 2, 21, 50,
    ]);
  });
});

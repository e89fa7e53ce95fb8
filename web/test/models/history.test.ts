import { describe, expect, it } from "vitest";
import { type Counters, History } from "../../src/models/history";

const SECOND = 1_790_000_000;

function counters(packets: number, lost: Counters["lost"] = {}): Counters {
  return {
    received: { packets, bytes: packets * 100 },
    injected: { packets: 0, bytes: 0 },
    lost,
  };
}

describe("the history of an adapter", () => {
  it("makes a rate of two samples, and knows the seconds between them", () => {
    const history = new History();
    history.sample("a", counters(0), SECOND * 1000);
    history.sample("a", counters(500, { queue: 20 }), (SECOND + 2) * 1000);
    expect([0, 1, 2, 3].map((more) => history.knows(SECOND + more))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(history.rate("receivedPackets", SECOND + 1)).toBe(250);
    expect(history.rate("queue", SECOND + 2)).toBe(10);
  });

  it("sums a cause over its reasons, and takes one that is not counted for none", () => {
    const history = new History();
    const refused = { link_down: 20, host: 2 };
    history.sample("a", counters(0, { ring: null }), SECOND * 1000);
    history.sample("a", counters(0, { ring: 4, refused }), (SECOND + 2) * 1000);
    const rates = (["ring", "refused", "truncated"] as const).map((one) =>
      history.rate(one, SECOND + 1),
    );
    expect(rates).toEqual([2, 11, 0]);
  });

  it("takes counters that went back for those of a session that began anew", () => {
    const history = new History();
    for (const [index, packets] of [1000, 0, 10].entries()) {
      history.sample("a", counters(packets), (SECOND + index) * 1000);
    }
    expect(history.rate("receivedPackets", SECOND + 1)).toBe(0);
    expect(history.rate("receivedPackets", SECOND + 2)).toBe(10);
  });

  it("compares no counters of two sessions", () => {
    const history = new History();
    history.sample("a", counters(0), SECOND * 1000);
    history.sample("b", counters(900), (SECOND + 1) * 1000);
    expect(history.knows(SECOND + 1)).toBe(false);
  });

  it("begins with zeros where a session has just started, and with what it has otherwise", () => {
    const history = new History();
    history.sample("a", counters(2), SECOND * 1000 + 400, SECOND * 1000 + 100);
    history.sample("a", counters(90), (SECOND + 1) * 1000 + 100, SECOND * 1000 + 100);
    expect(history.rate("receivedPackets", SECOND + 1)).toBe(90);
    history.sample("b", counters(5000), (SECOND + 9) * 1000, SECOND * 1000);
    expect(history.knows(SECOND + 9)).toBe(false);
  });

  it("waits for another second", () => {
    const history = new History();
    history.sample("a", counters(0), SECOND * 1000);
    history.sample("a", counters(50), SECOND * 1000 + 900);
    history.sample("a", counters(100), SECOND * 1000 + 1000);
    expect(history.rate("receivedPackets", SECOND + 1)).toBe(100);
  });

  it("keeps an hour", () => {
    const history = new History();
    for (let i = 0; i <= 4000; i++) history.sample("a", counters(i), (SECOND + i) * 1000);
    expect(history.knows(SECOND + 400)).toBe(false);
    expect(history.knows(SECOND + 401)).toBe(true);
  });

  it("knows nothing of the time before a new session, though the place was used before", () => {
    const history = new History();
    history.sample("a", counters(0), SECOND * 1000);
    history.sample("a", counters(10), (SECOND + 1) * 1000);
    history.sample("b", counters(0), (SECOND + 3600) * 1000);
    history.sample("b", counters(10), (SECOND + 3602) * 1000);
    expect(history.knows(SECOND + 3600)).toBe(false);
    expect(history.rate("receivedPackets", SECOND + 3602)).toBe(5);
  });
});

import { describe, expect, it } from "vitest";
import { Rates, SAMPLES } from "../../src/models/rates";
import { counters } from "../examples";

describe("the rates of a session", () => {
  it("need two samples", () => {
    const rates = new Rates();
    rates.sample(counters(500), 0);
    expect([rates.received, rates.receivedNow.packets]).toEqual([[], 0]);
  });

  it("are per second, whatever the time between samples", () => {
    const rates = new Rates();
    rates.sample(counters(0, 0), 0);
    rates.sample(counters(500, 100), 2000);
    expect(rates.receivedNow).toEqual({ packets: 250, bytes: 25_000 });
    expect(rates.injectedNow).toEqual({ packets: 50, bytes: 5000 });
  });

  it("do not go below zero when a session began anew", () => {
    const rates = new Rates();
    rates.sample(counters(500), 0);
    rates.sample(counters(10), 1000);
    expect(rates.receivedNow).toEqual({ packets: 0, bytes: 0 });
  });

  it("skip a sample of the same moment", () => {
    const rates = new Rates();
    rates.sample(counters(0), 1000);
    rates.sample(counters(10), 1000);
    expect(rates.received).toEqual([]);
  });

  it("keep a minute", () => {
    const rates = new Rates();
    for (let second = 0; second <= SAMPLES + 5; second++) {
      rates.sample(counters(second ** 2), second * 1000);
    }
    expect(rates.received.length).toBe(SAMPLES);
    expect(rates.received.at(-1)).toBe(2 * (SAMPLES + 5) - 1);
  });
});

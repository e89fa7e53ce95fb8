import { describe, expect, it } from "vitest";
import contract from "../../../openapi/openapi.json";
import type { Impairment } from "../../src/api/types";
import {
  impairmentOf,
  NAMES,
  NOTHING,
  placeOf,
  QUANTITIES,
  SWITCHES,
  textAt,
  textsOf,
  wordsOf,
  wrongOf,
} from "../../src/models/impairment-fields";

const quantity = (name: string) => {
  const found = QUANTITIES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
};
const texts = (some: Record<string, string>) => ({ ...NOTHING, ...some });

/** An impairment that has every member, none at its default. */
const FULL: Impairment = {
  delay_ms: 60.5,
  jitter_ms: 5,
  distribution: "pareto",
  delay_correlation: 0.25,
  loss: 0.023,
  loss_correlation: 0.1,
  gilbert_elliott: { p: 0.01, r: 0.3, h: 0.05, k: 0.99 },
  duplicate: 0.001,
  duplicate_correlation: 0.2,
  corrupt: 0.07,
  corrupt_correlation: 0.4,
  reorder: 0.25,
  reorder_correlation: 0.5,
  reorder_gap: 5,
  rate_bps: 384_001,
  burst_bytes: 16_384,
  overhead_bytes: -20,
  limit_packets: 77,
  limit_bytes: 99_999,
  blackout: true,
  max_size: 1280,
  too_big_reply: true,
};

describe("the fields of an impairment", () => {
  it("lose nothing of what the API has, whatever member it is", () => {
    expect(impairmentOf(textsOf(FULL))).toEqual(FULL);
    for (const [name, value] of Object.entries(FULL)) {
      const one = { [name]: value } as Impairment;
      expect(impairmentOf(textsOf(one))).toEqual(one);
    }
  });

  it("have the limits of the contract, and its members", () => {
    const { Impairment, GilbertElliott } = contract.components.schemas;
    const { gilbert_elliott: _, ...rest } = Impairment.properties;
    const channel = Object.entries(GilbertElliott.properties);
    const members: Record<string, object> = {
      ...rest,
      ...Object.fromEntries(channel.map(([name, of]) => [`gilbert_elliott.${name}`, of])),
    };
    expect(new Set(NAMES)).toEqual(new Set(Object.keys(members)));
    for (const { name, least, most, factor, whole } of QUANTITIES) {
      const limits = { minimum: least * factor, maximum: most * factor };
      expect([name, members[name]]).toMatchObject([name, limits]);
      if (whole)
        expect([name, JSON.stringify(members[name])]).toEqual([
          name,
          expect.stringMatching(/"integer"/),
        ]);
    }
  });

  it("have a field for every member", () => {
    const members = new Set(NAMES.map((name) => name.split(".")[0]));
    expect(members).toEqual(new Set(Object.keys(FULL)));
  });

  it("are empty for what the API gives where nothing was asked for", () => {
    const bare: Impairment = {
      ...{ delay_ms: 0, jitter_ms: 0, distribution: "uniform", delay_correlation: 0 },
      ...{ loss: 0, loss_correlation: 0, gilbert_elliott: null, duplicate: 0, corrupt: 0 },
      ...{ duplicate_correlation: 0, corrupt_correlation: 0, reorder: 0, reorder_correlation: 0 },
      ...{ reorder_gap: 1, rate_bps: null, burst_bytes: 0, overhead_bytes: 0, max_size: null },
      ...{ limit_packets: 1000, limit_bytes: 64 * 1024 * 1024, blackout: false },
      too_big_reply: false,
    };
    expect(textsOf(bare)).toEqual(NOTHING);
    expect([impairmentOf(NOTHING), textsOf(null)]).toEqual([null, NOTHING]);
  });

  it("are in percent and Mbit/s, and exact in the API's units", () => {
    const body = impairmentOf(texts({ loss: "2.3", corrupt: "0.1", rate_bps: "0.384" }));
    expect(body).toEqual({ loss: 0.023, corrupt: 0.001, rate_bps: 384_000 });
    expect(impairmentOf(texts({ rate_bps: "1.1" }))).toEqual({ rate_bps: 1_100_000 });
    for (let tenth = 1; tenth <= 1000; tenth++) {
      const text = String(tenth / 10);
      expect(textsOf(impairmentOf(texts({ loss: text })))["loss"]).toBe(text);
    }
  });

  it("take a comma as a point, and nothing of the space around", () => {
    expect(impairmentOf(texts({ delay_ms: " 1,5 " }))).toEqual({ delay_ms: 1.5 });
    expect(wrongOf(quantity("delay_ms"), "1,5")).toBe("");
  });

  it("take commas between thousands as the page writes them", () => {
    const typed = texts({ limit_packets: "1,000", rate_bps: "1,000", delay_ms: "1,000.5" });
    const body = { limit_packets: 1000, rate_bps: 1_000_000_000, delay_ms: 1000.5 };
    expect(impairmentOf(typed)).toEqual(body);
    expect(wrongOf(quantity("limit_packets"), "1,000")).toBe("");
    const limit = quantity("limit_packets");
    expect(textAt(limit, placeOf(limit, "1,000"))).toBe("1000");
  });

  it.each([
    ["delay_ms", "-1", "Delay must be a number from 0 to 600000 ms."],
    ["delay_ms", "600001", "Delay must be a number from 0 to 600000 ms."],
    ["loss", "101", "Loss must be a number from 0 to 100 %."],
    ["delay_ms", "0x10", "Delay must be a number from 0 to 600000 ms."],
    ["loss", "some", "Loss must be a number from 0 to 100 %."],
    ["loss", "NaN", "Loss must be a number from 0 to 100 %."],
    [
      "limit_packets",
      "1.5",
      "Limit must be a whole number from 1 to 1000000 packets. Write it like 1000 or 1,000.",
    ],
    [
      "rate_bps",
      "1234,567",
      "Rate must be a number from 0.0001 to 1000000 Mbit/s. Write it like 1000 or 1,000, or with decimals like 0.5.",
    ],
    ["limit_packets", "0", "Limit must be a whole number from 1 to 1000000 packets."],
    ["max_size", "67", "Max size must be a whole number from 68 to 65535 bytes."],
    ["rate_bps", "Infinity", "Rate must be a number from 0.0001 to 1000000 Mbit/s."],
  ])("say what is wrong with %s %s", (name, text, wrong) => {
    expect(wrongOf(quantity(name), text)).toBe(wrong);
  });

  it("find nothing wrong with what is empty or at a place of its slider", () => {
    for (const one of QUANTITIES) {
      for (let place = 0; place <= one.stops.length; place++) {
        const text = textAt(one, place);
        expect([wrongOf(one, text), placeOf(one, text)]).toEqual(["", place]);
      }
      expect(wrongOf(one, " ")).toBe("");
    }
  });

  it("put the slider at the last place that a number has passed", () => {
    const delay = quantity("delay_ms");
    expect(textAt(delay, placeOf(delay, "60"))).toBe("50");
    expect(placeOf(delay, "nonsense")).toBe(0);
    expect(placeOf(delay, "99999")).toBe(delay.stops.length);
  });

  it("are said in words", () => {
    const words = wordsOf({ delay_ms: 60, loss: 0.02, rate_bps: 384_000, blackout: true });
    expect(words).toBe("delay 60 ms, loss 2 %, rate 0.384 Mbit/s, blackout");
    const names = wordsOf(FULL)
      .split(", ")
      .map((one) => one.replace(/ [-\d.]+ .*/, ""));
    expect(names.length).toBe(NAMES.length);
    expect(new Set(names).size).toBe(names.length - 1); // two limits, in packets and in bytes
    expect(wordsOf({ distribution: "normal" })).toBe("normal delays");
    expect([wordsOf(null), wordsOf({})]).toEqual(["nothing", "nothing"]);
    for (const [name] of SWITCHES) expect(wordsOf({ [name]: true })).not.toBe("nothing");
  });
});

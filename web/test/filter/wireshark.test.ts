/** The filters that people type into Wireshark find Wireshark's packets, or it is decided why not. */

import { describe, expect, it } from "vitest";
import GUIDE from "../../../wintun_api/guide/display-filters.md?raw";
import { FilterError } from "../../src/filter/lexer";
import { DECISIONS, PACKETS_APART } from "./decisions";
import { numbersOf } from "./packets";
import wireshark from "./wireshark.json";

const LIST = wireshark as unknown as readonly (readonly [filter: string, rows: string | null])[];

/** Read `1-3 7`. */
function numbers(ranges: string): number[] {
  return ranges.split(" ").flatMap((range) => {
    const [low = 0, high = low] = range.split("-").map(Number);
    return range === "" ? [] : Array.from({ length: high - low + 1 }, (_, i) => low + i);
  });
}

const apart = new Set(PACKETS_APART.flatMap((one) => one.numbers));
const together = (found: number[] | null): number[] | null =>
  found?.filter((one) => !apart.has(one)) ?? null;

/** Numbers of the packets; null where the filter is refused. */
function found(filter: string): number[] | null {
  try {
    return numbersOf(filter);
  } catch (error) {
    if (error instanceof FilterError) return null;
    throw error;
  }
}

describe("of the filters that people type into Wireshark", () => {
  const decided = new Map(
    DECISIONS.flatMap(({ filters, reason }) => filters.map((one) => [one, reason])),
  );

  it("as many find the same packets as the guide says", () => {
    const same = LIST.filter(([filter, rows]) => {
      const theirs = rows === null ? null : numbers(rows);
      return String(together(found(filter))) === String(together(theirs));
    });
    expect(GUIDE.replaceAll("\n", " ")).toMatch(
      new RegExp(`${LIST.length} filters .*, and ${same.length} find the same`),
    );
  });

  it("there are many", () => {
    expect(LIST.length).toBeGreaterThan(200);
  });

  for (const [filter, rows] of LIST) {
    const reason = decided.get(filter);
    const expected = rows === null ? null : numbers(rows);
    if (reason === undefined) {
      it(`${filter} finds what Wireshark finds`, () => {
        expect(together(found(filter))).toEqual(together(expected));
      });
    } else {
      it(`${filter} finds something else: ${reason}`, () => {
        expect(together(found(filter))).not.toEqual(together(expected));
      });
    }
  }

  it("packets that the decoder reads otherwise are found by some filter otherwise", () => {
    const different = new Set<number>();
    for (const [filter, rows] of LIST) {
      const [ours, theirs] = [found(filter), rows === null ? null : numbers(rows)];
      if (ours === null || theirs === null || decided.has(filter)) continue;
      const known = new Set(theirs);
      const all = new Set(ours);
      for (const one of [...ours, ...theirs]) {
        if (known.has(one) !== all.has(one)) different.add(one);
      }
    }
    expect([...apart].filter((one) => !different.has(one))).toEqual([]);
    expect(apart.size).toBeLessThan(40);
  });

  it("few are decided otherwise, and all of those are in the list", () => {
    const known = new Set(LIST.map(([filter]) => filter));
    expect([...decided.keys()].filter((filter) => !known.has(filter))).toEqual([]);
    expect(decided.size).toBeLessThanOrEqual(LIST.length * 0.17);
  });
});

import { expect, it } from "vitest";
import { timeTicks, valueTicks } from "../../src/models/axis";

it("ends a vertical axis at a round value above the most", () => {
  expect(valueTicks(10)).toEqual([0, 5, 10]);
  expect(valueTicks(331)).toEqual([0, 200, 400]);
  expect(valueTicks(1e6)).toEqual([0, 5e5, 1e6]);
});

it("puts round times on a time axis, as many as there is room for", () => {
  expect(timeTicks(1_790_000_000, 1_790_000_060, 6)).toEqual([
    1_790_000_000, 1_790_000_010, 1_790_000_020, 1_790_000_030, 1_790_000_040, 1_790_000_050,
    1_790_000_060,
  ]);
  expect(timeTicks(1_790_000_000, 1_790_003_600, 4)).toEqual([
    1_790_000_100, 1_790_001_000, 1_790_001_900, 1_790_002_800,
  ]);
});

it("puts no two times of one minute on an axis of more", () => {
  const ticks = timeTicks(1_790_000_000, 1_790_000_300, 16);
  expect(ticks.map((tick) => tick % 60)).toEqual([0, 0, 0, 0, 0]);
});

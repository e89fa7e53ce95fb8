/** What the cells of a row say. */

import { expect, test } from "vitest";
import { timeText } from "../../src/models/packet-text";

const TIME = 1_767_323_045_000_123_456n; // 2026-01-02 03:04:05.000123456 UTC

test.each([
  ["clock", 0n, "03:04:05.000123"],
  ["date", 0n, "2026-01-02 03:04:05.000123"],
  ["epoch", 0n, "1767323045.000123"],
  ["start", TIME - 1_500_000_000n, "1.500000"],
  ["previous", TIME + 2_000n, "−0.000002"],
] as const)("a time as %s", (format, since, text) => {
  expect(timeText(TIME, format, since, true)).toBe(text);
});

test("a local time has the hour of the browser", () => {
  const hours = new Date(Number(TIME / 1_000_000n)).getHours();
  expect(timeText(TIME, "clock", 0n)).toMatch(new RegExp(`^${String(hours).padStart(2, "0")}:`));
});

import { describe, expect, it } from "vitest";
import { parseDuration, parseSize } from "../../src/models/amounts";

describe("amounts as they are typed", () => {
  it.each([
    ["64 MiB", 64 * 2 ** 20],
    ["64", 64 * 2 ** 20],
    ["1.5gib", 1.5 * 2 ** 30],
    ["1,5 GiB", 1.5 * 2 ** 30],
    ["1,000 MB", 1e9],
    ["2 GB", 2e9],
    ["4096 B", 4096],
    [" .5 KiB ", 512],
  ])("%s is a size", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    ["90", 90],
    ["1.5 s", 1.5],
    ["10 min", 600],
    ["10m", 600],
    ["2 H", 7200],
    ["1 d", 86400],
  ])("%s is a duration", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(["", "MiB", "-1", "1e3", "1234,567 MB", "1 2", "64 MiB/s", "soon", "1 constructor"])(
    "%s is neither",
    (text) => {
      expect([parseSize(text), parseDuration(text)]).toEqual([null, null]);
    },
  );
});

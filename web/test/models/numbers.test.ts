import { describe, expect, it } from "vitest";
import { numberOf, spelling, wholeOf } from "../../src/models/numbers";

describe("numbers as they are typed", () => {
  it.each([
    ["1000", 1000],
    ["1,000", 1000],
    ["1,000,000", 1_000_000],
    ["1,000.5", 1000.5],
    ["-1,500", -1500],
    ["12,345.", 12_345],
    ["0,5", 0.5],
    ["1,5", 1.5],
    ["12,25", 12.25],
    ["0,125", 0.125],
    [",125", 0.125],
    ["0.125", 0.125],
    ["1.125", 1.125],
    [" 7 ", 7],
    ["1e-7", 1e-7],
  ])("%s is read", (text, value) => {
    expect([numberOf(text), spelling(text, numberOf)]).toEqual([value, ""]);
  });

  it.each([
    "1234,567",
    "1,00,000",
    "1,000,00",
    "1,000,5",
    "1.000,5",
    "1.000.000",
    "00,500",
    "1,5e3",
  ])("%s may mean several numbers, so it is refused", (text) => {
    expect(numberOf(text)).toBeNaN();
    expect(spelling(text, numberOf)).toBe(
      " Write it like 1000 or 1,000, or with decimals like 0.5.",
    );
  });

  it.each(["", "0x10", "Infinity", "some", "1 000"])("“%s” is no number", (text) => {
    expect([numberOf(text), wholeOf(text), spelling(text, wholeOf)]).toEqual([
      Number.NaN,
      Number.NaN,
      "",
    ]);
  });

  it.each([
    ["1,000", 1000],
    ["-64", -64],
    ["2147483647", 2_147_483_647],
  ])("%s is a whole one", (text, value) => {
    expect(wholeOf(text)).toBe(value);
  });

  it.each(["1.5", "1,5", "0,500", "1.000", "1,000.0", "1234,567"])(
    "%s is not a whole one",
    (text) => {
      expect([wholeOf(text), spelling(text, wholeOf)]).toEqual([
        Number.NaN,
        " Write it like 1000 or 1,000.",
      ]);
    },
  );

  it("a whole one has no exponent", () => {
    expect(wholeOf("1e3")).toBeNaN();
  });
});

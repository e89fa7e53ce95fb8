import { describe, expect, it } from "vitest";
import { scrollToShow, visibleRange } from "../../src/models/window";

describe("the window of a table", () => {
  it("covers the viewport, with rows that are half seen", () => {
    expect(visibleRange(0, 220, 22, 1000)).toEqual({ first: 0, count: 11, top: 0, height: 22000 });
    expect(visibleRange(33, 220, 22, 1000)).toMatchObject({ first: 1, count: 11, top: 22 });
  });

  it("never reaches behind the last row", () => {
    expect(visibleRange(21_900, 220, 22, 1000)).toMatchObject({ first: 995, count: 5 });
    expect(visibleRange(1e9, 220, 22, 3)).toMatchObject({ first: 2, count: 1 });
  });

  it("is empty for an empty table", () => {
    expect(visibleRange(50, 220, 22, 0)).toEqual({ first: 0, count: 0, top: 0, height: 0 });
  });

  it("scrolls no further than a row needs to be seen", () => {
    expect(scrollToShow(5, 0, 220, 22)).toBe(0);
    expect(scrollToShow(1, 100, 220, 22)).toBe(22);
    expect(scrollToShow(20, 0, 220, 22)).toBe(242);
  });
});

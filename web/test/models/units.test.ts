import { describe, expect, it } from "vitest";
import { binary, clock, duration, momentText, scaled } from "../../src/models/units";
import { TIME } from "../examples";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers with units", () => {
  it("have three digits and a prefix of a thousand", () => {
    const shown = [0, 0.5, 9, 999, 999.6, 1234, 99_950, 1_234_567, 5e12, -1500];
    expect(shown.map((value) => plain(scaled(value, "B")))).toEqual([
      "0 B",
      "0.5 B",
      "9 B",
      "999 B",
      "1.00 kB",
      "1.23 kB",
      "100 kB",
      "1.23 MB",
      "5.00 TB",
      "−1.50 kB",
    ]);
  });

  it("have prefixes of 1024 where memory is meant", () => {
    expect([0, 512, 0x20000, 0x400000, 0x600000, 1536].map(binary).map(plain)).toEqual([
      "0 B",
      "512 B",
      "128 KiB",
      "4 MiB",
      "6 MiB",
      "1.5 KiB",
    ]);
  });

  it("are two parts of a duration at most", () => {
    expect([-1, 0, 59, 65, 3600, 90_061].map(duration).map(plain)).toEqual([
      "0 s",
      "0 s",
      "59 s",
      "1 min 5 s",
      "1 h",
      "1 d 1 h",
    ]);
  });

  it("do not part with their units at the end of a line", () => {
    expect(scaled(1500, "b/s")).toBe("1.50\u00a0kb/s");
    expect(duration(65)).toBe("1\u00a0min 5\u00a0s");
  });

  it("are the time of day to the millisecond", () => {
    expect(clock(new Date(2026, 0, 2, 3, 4, 5, 6))).toBe("03:04:05.006");
  });

  it("have the day where a time is not of today", () => {
    const time = new Date(TIME).toTimeString().slice(0, 8);
    expect(momentText(TIME, new Date(TIME))).toBe(time);
    expect(momentText(TIME, new Date("2026-03-02T03:04:05Z"))).toBe(`2 Jan ${time}`);
    expect(momentText(TIME, new Date("2027-03-02T03:04:05Z"))).toBe(`2 Jan 2026 ${time}`);
  });
});

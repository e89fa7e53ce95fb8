import { describe, expect, it } from "vitest";
import { parseHex } from "../../src/packet/hex";

const BYTES = Uint8Array.from({ length: 24 }, (_, index) => (index * 11) & 0xff);

/** Write a dump: an offset, groups, a gap, the characters. */
function dump(offset: (at: number) => string, group: number, gap: string, tail: string): string {
  const lines: string[] = [];
  for (let at = 0; at < BYTES.length; at += 16) {
    const row = [...BYTES.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, "0"));
    let text = "";
    row.forEach((pair, index) => {
      text += pair + (index % group === group - 1 ? " " : "") + (index === 7 ? gap : "");
    });
    lines.push(`${offset(at)}${text.padEnd(50)} ${tail}`);
  }
  return lines.join("\n");
}

const hex = (at: number, digits: number) => at.toString(16).padStart(digits, "0");

describe("pasted bytes", () => {
  it("may be a dump of Wireshark", () => {
    expect(parseHex(dump((at) => `${hex(at, 4)}   `, 1, "", "ab cd de..E"))).toEqual(BYTES);
  });

  it("may be one of hexdump -C, with its last offset", () => {
    const text = dump((at) => `${hex(at, 8)}  `, 1, " ", "|..ab cd E.|");
    expect(parseHex(`${text}\n${hex(BYTES.length, 8)}\n`)).toEqual(BYTES);
  });

  it("may be one of xxd", () => {
    expect(parseHex(dump((at) => `${hex(at, 8)}: `, 2, "", "E..ad be"))).toEqual(BYTES);
  });

  it("may be digits alone, also such that look like an offset", () => {
    expect(parseHex("00004500")).toEqual(Uint8Array.of(0, 0, 0x45, 0));
    expect(parseHex("0000 4500")).toEqual(Uint8Array.of(0, 0, 0x45, 0));
    expect(parseHex("45:00, 0x1c")).toEqual(Uint8Array.of(0x45, 0, 0x1c));
  });

  it("are refused where they are no bytes", () => {
    expect(() => parseHex("45 0")).toThrow("two digits");
    expect(() => parseHex("45 zz")).toThrow("not a hexadecimal digit");
  });
});

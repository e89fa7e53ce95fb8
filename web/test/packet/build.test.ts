import { describe, expect, it } from "vitest";
import { ipv6Text, parseAddress, parsePrefix } from "../../src/packet/address";
import { echoRequest, repaired, tcp, udp } from "../../src/packet/build";
import { decode } from "../../src/packet/decode";
import type { Field } from "../../src/packet/dissection";
import { formatHex, HexError, parseHex } from "../../src/packet/hex";
import corpus from "./corpus.json";

const address = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array(4);
/** The corpus begins with what a kernel sent. */
const CAPTURED = 150;
const PAIRS = [
  { source: address("10.6.7.7"), destination: address("192.0.2.9") },
  { source: address("fd06:7::7"), destination: address("2001:db8::1") },
];

/** The checksums of a packet: 1 right, 0 wrong, 2 not verified. */
function statuses(packet: Uint8Array): unknown[] {
  const found: unknown[] = [];
  const walk = (field: Field): void => {
    if (field.name.endsWith(".checksum.status")) found.push(field.value);
    field.fields.forEach(walk);
  };
  decode(packet).layers.forEach(walk);
  return found;
}

describe("built packets", () => {
  for (const [version, pair] of PAIRS.entries()) {
    for (const size of [0, 1, 2, 63, 1400]) {
      const data = new Uint8Array(size).map((_, i) => i * 37);
      it(`have right checksums with ${size} bytes, IPv${version ? 6 : 4}`, () => {
        const ports = { ...pair, sourcePort: 65535, destinationPort: 1, data };
        const made = [
          echoRequest({ ...pair, identifier: 0xffff, sequence: 9, data }),
          udp(ports),
          tcp({ ...ports, sequence: 0xffffffff }),
        ];
        for (const packet of made) {
          expect(statuses(packet)).toEqual(version ? [1] : [1, 1]);
        }
      });
    }
  }

  it("refuse numbers that do not fit their fields", () => {
    const [pair] = PAIRS;
    if (pair === undefined) return;
    const ports = { ...pair, sourcePort: 1, destinationPort: 2, data: new Uint8Array() };
    expect(() => udp({ ...ports, destinationPort: 65536 })).toThrow("must be 0-65535");
    expect(() => udp({ ...ports, ttl: 256 })).toThrow("not from 0 to 255");
    expect(() => udp({ ...ports, data: new Uint8Array(65535) })).toThrow(RangeError);
    expect(() => udp({ ...ports, source: address("::1") })).toThrow("one address family");
  });

  it("are whole again after an edit", () => {
    for (const { packet } of corpus.slice(0, CAPTURED)) {
      const bytes = parseHex(packet);
      const at = bytes.length - 1;
      bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      expect(statuses(repaired(bytes))).not.toContain(0);
    }
  });
});

describe("typed bytes", () => {
  it("are read in every usual form", () => {
    for (const text of ["4500 001c", "45:00:00:1c", "0x45, 0x00,0x00 0x1C", "45-00\n00 1c"]) {
      expect([...parseHex(text)]).toEqual([0x45, 0, 0, 0x1c]);
    }
  });

  it("are written as they are read", () => {
    const bytes = new Uint8Array(40).map((_, i) => i * 7);
    expect([...parseHex(formatHex(bytes))]).toEqual([...bytes]);
  });

  it("are refused with the place of the mistake", () => {
    for (const [text, position] of [
      ["45 0g", 3],
      ["45 0", 3],
      ["zz", 0],
    ] as const) {
      try {
        parseHex(text);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(HexError);
        expect((error as HexError).position).toBe(position);
      }
    }
  });
});

describe("addresses", () => {
  it("are written as RFC 5952 says", () => {
    for (const text of [
      "::",
      "::1",
      "1::",
      "fd06:7::7",
      "2001:db8:0:1:1:1:1:1",
      "2001:db8::1:0:0:1",
      "::ffff:192.0.2.1",
    ]) {
      expect(ipv6Text(address(text), 0)).toBe(text);
    }
    expect(ipv6Text(address("2001:DB8:0:0:0:0:0:1"), 0)).toBe("2001:db8::1");
  });

  it("are refused when they are none", () => {
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.256",
      "01.2.3.4",
      "1::2::3",
      "1:2:3",
      "::12345",
      "g::",
    ]) {
      expect(parseAddress(text)).toBeNull();
    }
    expect(parsePrefix("10.0.0.0/33")).toBeNull();
    expect(parsePrefix("fd00::/8")?.length).toBe(8);
  });
});

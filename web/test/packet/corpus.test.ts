/** The decoders against Wireshark's, over the corpus that tests/packet/corpus.py writes. */

import { describe, expect, it } from "vitest";
import { decode } from "../../src/packet/decode";
import type { Dissection, Field, Value } from "../../src/packet/dissection";
import { parseHex } from "../../src/packet/hex";
import corpus from "./corpus.json";

// Protocols whose line in the table is Wireshark's to the letter.
const SAME_LINE = new Set(["TCP", "UDP", "ICMP", "ICMPv6", "DNS", "MDNS", "IPv4", "IPv6"]);

interface Entry {
  packet: string;
  protocol: string;
  info: string;
  malformed: boolean;
  fields: Record<string, string>;
}
const entries = corpus as unknown as Entry[];

/** The values of every field of a name, in the order of the packet. */
function valuesOf(decoded: Dissection, name: string): string[] {
  const found: string[] = [];
  const walk = (field: Field): void => {
    if (field.name === name) found.push(plain(field.value));
    field.fields.forEach(walk);
  };
  decoded.layers.forEach(walk);
  return found;
}

function plain(value: Value): string {
  return typeof value === "boolean" ? String(Number(value)) : String(value);
}

describe("the decoders and Wireshark", () => {
  it("are compared on at least 300 packets", () => {
    expect(entries.length).toBeGreaterThanOrEqual(300);
  });

  for (const [index, entry] of entries.entries()) {
    const decoded = decode(parseHex(entry.packet));
    it(`say the same of packet ${index}: ${entry.protocol} ${entry.info.slice(0, 60)}`, () => {
      const ours: Record<string, string> = {};
      for (const name of Object.keys(entry.fields)) ours[name] = valuesOf(decoded, name).join("|");
      expect(ours).toEqual(entry.fields);
      if (SAME_LINE.has(entry.protocol) && !entry.malformed) {
        expect([decoded.protocol, decoded.info]).toEqual([entry.protocol, entry.info]);
      }
    });
  }
});

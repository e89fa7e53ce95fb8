/** The decoders against Wireshark's, over the corpus that tests/packet/corpus.py writes. */

import { describe, expect, it } from "vitest";
import { decode } from "../../src/packet/decode";
import type { Dissection, Field, Value } from "../../src/packet/dissection";
import { parseHex } from "../../src/packet/hex";
import corpus from "./corpus.json";

// Protocols whose line in the table is Wireshark's to the letter.
const SAME_LINE = new Set(["TCP", "UDP", "ICMP", "ICMPv6", "DNS", "MDNS", "IPv4", "IPv6"]);

/**
 * Where this decoder says something else on purpose: a line of its own, or text in UTF-8 where
 * Wireshark expects ASCII.
 */
const OTHER: Readonly<Record<number, readonly string[]>> = {
  289: ["igmp.checksum.status", "igmp.maddr", "igmp.version"], // of a kind that nobody uses
  358: ["line"], // TLSA with the name of what was asked
  361: ["line"], // the first of two messages alone
  374: ["line"], // kinds of ICMP that nobody uses
  375: ["line"],
  379: ["line"],
  382: ["line"],
  405: ["icmp.code", "icmp.type"], // of four bytes that an error quotes
  411: ["line"], // the row of GRE is that of the tunnel
  413: ["line"],
  429: ["line"], // unknown numbers are written as over IPv4
  434: ["http.request.uri"], // UTF-8
  464: ["udp.length", "udp.checksum.status"], // UDP-Lite has no length, but a checksum
  468: ["line", "dns.count.labels", "dns.qry.class", "dns.qry.type"], // behind a name that is malformed
  475: ["dns."], // behind a length of UDP that is wrong
  478: ["tcp."], // behind a header length that is wrong
  480: ["udp.length"],
  487: ["line"], // QUIC by its port alone
};

function isOther(index: number, name: string): boolean {
  return (
    OTHER[index]?.some((one) => (one.endsWith(".") ? name.startsWith(one) : one === name)) ?? false
  );
}

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
  return typeof value === "boolean" ? String(Number(value)) : octets(String(value));
}

/** Octets without colons: tshark's versions write them in two ways. */
function octets(text: string): string {
  return text.replaceAll(/\b(?:[0-9a-f]{2}:)+[0-9a-f]{2}\b/g, (all) => all.replaceAll(":", ""));
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
      const theirs = Object.entries(entry.fields).filter(([name]) => !isOther(index, name));
      for (const name of Object.keys(ours)) if (isOther(index, name)) delete ours[name];
      expect(ours).toEqual(Object.fromEntries(theirs.map(([name, text]) => [name, octets(text)])));
      if (SAME_LINE.has(entry.protocol) && !entry.malformed && !OTHER[index]?.includes("line")) {
        expect([decoded.protocol, decoded.info]).toEqual([entry.protocol, entry.info]);
      }
    });
  }
});

/** The page, its filter and the command line say the same; tests/packet/agreement.py has the packets. */

import { describe, expect, it } from "vitest";
import { compileFilter } from "../../src/filter/parser";
import { ALONE, PacketSubject } from "../../src/filter/subject";
import { ipv4Text, ipv6Text } from "../../src/packet/address";
import { decode } from "../../src/packet/decode";
import { type Dissection, type Field, TOO_DEEP } from "../../src/packet/dissection";
import { Headers } from "../../src/packet/headers";
import { parseHex } from "../../src/packet/hex";
import vectors from "./agreement.json";

type Said = [
  version: number | null,
  source: string | null,
  destination: string | null,
  protocol: number | null,
  sourcePort: number | null,
  destinationPort: number | null,
  tooDeep: boolean,
  badLength: boolean,
  invalidChecksum: boolean,
];
const all = vectors as unknown as [packet: string, status: number | null, ...said: Said][];

const TRANSPORT: Readonly<Record<number, string>> = {
  6: "tcp",
  17: "udp",
  33: "dccp",
  132: "sctp",
  136: "udplite",
};

function read(packet: Uint8Array): Headers {
  const headers = new Headers();
  headers.read(packet, 0, packet.length, packet.length, false);
  return headers;
}

/** What the filter knows, in the order of `Said`. */
function filtered(h: Headers): unknown[] {
  const text = h.version === 4 ? ipv4Text : ipv6Text;
  const from = h.version === 4 ? 12 : 8;
  const or = (value: number): number | null => (value < 0 ? null : value);
  return [
    h.version || null,
    h.version ? text(h.bytes, h.ip + from) : null,
    h.version ? text(h.bytes, h.goal) : null,
    or(h.protocol),
    or(h.sourcePort),
    or(h.destinationPort),
  ];
}

/** The packet's own layers, without those of a packet that an error quotes. */
function ownLayers(decoded: Dissection): Field[] {
  const error = decoded.layers.findIndex((layer) => layer.name.startsWith("icmp"));
  return error < 0 ? decoded.layers : decoded.layers.slice(0, error + 1);
}

function fieldOf(layer: Field | undefined, name: string): unknown {
  return layer?.fields.find((field) => field.name === name)?.value ?? null;
}

describe("of every packet", () => {
  it("the filter knows the addresses, the protocol and the ports that the command line shows", () => {
    const wrong = all.filter(([packet, , ...said]) => {
      const [version, source, destination, protocol, from, to] = said;
      // Bytes that are not a whole IP header have a version for the command line alone.
      const expected = [source === null ? null : version, source, destination, protocol, from, to];
      return JSON.stringify(filtered(read(parseHex(packet)))) !== JSON.stringify(expected);
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("the row shows the addresses and the layers show the ports", () => {
    const wrong = all.filter(([packet, , ...said]) => {
      const [, source, destination, protocol, from, to] = said;
      const decoded = decode(parseHex(packet));
      const name = TRANSPORT[protocol ?? -1] ?? "";
      const layer = ownLayers(decoded).findLast((one) => one.name === name);
      // UDP-Lite has the fields of UDP.
      const prefix = name === "udplite" ? "udp" : name;
      const shown = [
        decoded.source,
        decoded.destination,
        fieldOf(layer, `${prefix}.srcport`),
        fieldOf(layer, `${prefix}.dstport`),
      ];
      const expected = [source ?? "", destination ?? "", from, to];
      return JSON.stringify(shown) !== JSON.stringify(expected);
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("the row tells of nesting, lengths and checksums when the command line does", () => {
    const wrong = all.filter(([packet, , ...said]) => {
      const { info } = decode(parseHex(packet));
      const found = [
        info === TOO_DEEP,
        info.includes("BAD UDP LENGTH"),
        info.includes("ILLEGAL CHECKSUM"),
      ];
      return JSON.stringify(found) !== JSON.stringify(said.slice(6));
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("the checksum has the status that it was given", () => {
    const wrong = all.filter(([packet, status]) => {
      const layers = ownLayers(decode(parseHex(packet)));
      const own = layers.filter((one) => /^(tcp|udp|icmp|icmpv6)$/.test(one.name)).at(-1);
      const found = own?.fields.find((field) => field.name.endsWith(".checksum"))?.fields[0]?.value;
      return status !== null && found !== status;
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("a filter by what the row shows finds the packet", () => {
    for (const [packet, , , source, , protocol, port] of all) {
      if (source === null || protocol === null) continue;
      const bytes = parseHex(packet);
      const subject = new PacketSubject(ALONE);
      subject.headers.read(bytes, 0, bytes.length, bytes.length, false);
      subject.point(0, 1);
      const passes = (filter: string) => compileFilter(filter)?.test(subject);
      expect(passes(`src host ${source} and proto == ${protocol}`)).toBe(true);
      if (port !== null) expect(passes(`port == ${port}`)).toBe(true);
      if (protocol === 6 && port !== null) expect(passes("tcp")).toBe(true);
    }
  });
});

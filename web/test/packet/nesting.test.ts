/** Packets that are made to break decoders. */

import { describe, expect, it } from "vitest";
import { ipv4Text } from "../../src/packet/address";
import { decode } from "../../src/packet/decode";
import { type Field, MAX_HEADERS, MAX_ITEMS, TOO_DEEP } from "../../src/packet/dissection";

import { Headers } from "../../src/packet/headers";
import { parseHex } from "../../src/packet/hex";
import { readName } from "../../src/packet/labels";
import corpus from "./corpus.json";
import { fuzz } from "./fuzz";
import { ipv4, ipv6, joined, tcp, udp } from "./made";

/** Put `wrap` around itself until there are so many or the packet is full. */
function nested(count: number, wrap: (inner: Uint8Array) => Uint8Array): Uint8Array {
  let packet = ipv4(17, udp(9, Uint8Array.of(1, 2, 3)));
  for (let i = 0; i < count; i++) {
    const next = wrap(packet);
    if (next.length > 0xffff) break;
    packet = next;
  }
  return packet;
}

function fieldCount(fields: readonly Field[]): number {
  return fields.reduce((count, field) => count + 1 + fieldCount(field.fields), 0);
}

function text(fields: readonly Field[]): string {
  return fields.map((field) => `${field.label} ${field.text} ${text(field.fields)}`).join("\n");
}

const error = (inner: Uint8Array): Uint8Array =>
  ipv4(1, joined(Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0), inner));
const error6 = (inner: Uint8Array): Uint8Array =>
  ipv6(58, joined(Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0), inner));
const option = (following: number): Uint8Array => Uint8Array.of(following, 0, 1, 4, 0, 0, 0, 0);
const chain = (count: number): Uint8Array =>
  ipv6(
    60,
    Uint8Array.from(
      Array.from({ length: count }, (_, i) => [...option(i < count - 1 ? 60 : 17)]).flat(),
    ),
  );

describe("nesting", () => {
  for (const [name, packet] of Object.entries({
    "IPv4 in IPv4": nested(3200, (inner) => ipv4(4, inner)),
    "IPv6 in IPv6": nested(3200, (inner) => ipv6(inner[0] === 0x45 ? 4 : 41, inner)),
    "IPv6 in IPv4 in turn": nested(3200, (inner) =>
      inner[0] === 0x45 ? ipv6(4, inner) : ipv4(41, inner),
    ),
    "a chain of 8000 extension headers": chain(8000),
  })) {
    it(`is followed so far and no further: ${name}`, () => {
      const decoded = decode(packet);
      expect(decoded.info).toBe(TOO_DEEP);
      expect(decoded.layers.length).toBe(MAX_HEADERS + 1);
      expect(decoded.layers.at(-1)?.text).toBe(TOO_DEEP);
    });
  }

  for (const [name, wrap] of [["ICMP", error] as const, ["ICMPv6", error6] as const]) {
    it(`of ${name} errors ends, and the row stays that of the outermost error`, () => {
      const decoded = decode(nested(3200, wrap));
      expect(decoded.protocol).toBe(name);
      expect(decoded.info.toLowerCase()).toContain("port unreachable");
      expect(decoded.layers.at(-1)?.text).toBe(TOO_DEEP);
    });
  }

  it("of as many headers as are followed is decoded to the end", () => {
    const decoded = decode(nested(MAX_HEADERS - 1, (inner) => ipv4(4, inner)));
    expect(decoded.info).toBe("7 → 9 Len=3");
    expect(decode(chain(MAX_HEADERS - 1)).info).toBe("[Truncated UDP]");
  });

  it("shows the innermost packet, as the filter does", () => {
    const inner = ipv4(6, new Uint8Array(20).fill(0x50));
    const packet = ipv6(4, inner);
    const headers = new Headers();
    headers.read(packet, 0, packet.length, packet.length, false);
    expect([headers.outer, headers.version, headers.protocol]).toEqual([6, 4, 6]);
    expect(ipv4Text(packet, headers.ip + 12)).toBe(decode(packet).source);
  });
});

describe("a list of one header", () => {
  const dns = (counts: number[], data: Uint8Array): Uint8Array =>
    ipv4(
      17,
      udp(53, Uint8Array.of(0, 1, 1, 0, ...counts.flatMap((n) => [n >> 8, n & 0xff]), ...data)),
    );
  const many: Readonly<Record<string, Uint8Array>> = {
    "DNS questions": dns([0xffff, 0, 0, 0], new Uint8Array(60000)),
    "DNS records": dns([0, 0xffff, 0xffff, 0xffff], new Uint8Array(60000)),
    "TLS records": ipv4(
      6,
      Uint8Array.of(
        ...[0, 9, 1, 187, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 0, 0, 0, 0, 0, 0],
        ...Array.from({ length: 12000 }, () => [23, 3, 3, 0, 0]).flat(),
      ),
    ),
    "TLS protocols": ipv4(
      6,
      tcp(443, [
        ...[22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3, ...new Uint8Array(33)],
        ...[0, 2, 0x13, 1, 1, 0, 0x3f, 0xcf, 0, 16, 0x3f, 0xcb, 0x3f, 0xc9],
        ...new Uint8Array(0x3fc9),
      ]),
    ),
    "padding options": ipv6(
      0,
      Uint8Array.from(Array.from({ length: 30 }, () => [0, 255, ...new Uint8Array(2046)]).flat()),
    ),
    "neighbour options": ipv6(
      58,
      Uint8Array.of(
        133,
        ...new Uint8Array(7),
        ...Array.from({ length: 8000 }, () => [1, 1, 0, 0, 0, 0, 0, 0]).flat(),
      ),
    ),
    "multicast records": ipv6(58, Uint8Array.of(143, ...new Uint8Array(60000))),
    "DHCP options": ipv4(
      17,
      udp(
        67,
        Uint8Array.of(
          ...new Uint8Array(236),
          0x63,
          0x82,
          0x53,
          0x63,
          ...new Uint8Array(60000).fill(1),
        ),
      ),
    ),
    "IPv4 options": Uint8Array.of(0x4f, ...ipv4(17, new Uint8Array(80).fill(1)).subarray(1)),
  };
  for (const [name, packet] of Object.entries(many)) {
    it(`is shown so far and no further: ${name}`, () => {
      const decoded = decode(packet);
      for (const layer of decoded.layers) {
        expect(layer.fields.length).toBeLessThanOrEqual(MAX_ITEMS + 1);
      }
      expect(fieldCount(decoded.layers)).toBeLessThan(MAX_ITEMS * 40);
      expect(decoded.layers.length).toBeLessThan(MAX_ITEMS + 10);
      expect(decoded.info.length).toBeLessThan(70_000);
    });
  }

  it("says what it leaves out", () => {
    const packet = many["neighbour options"] ?? new Uint8Array();
    expect(text(decode(packet).layers)).toContain(`Only the first ${MAX_ITEMS} are decoded`);
  });

  it("holds no DNS name that is longer than one may be, or leads back to itself", () => {
    const label = [63, ...new Uint8Array(63).fill(0x61)];
    const long = [...label, ...label, ...label, ...label, ...label, 0, 0, 1, 0, 1];
    expect(readName(Uint8Array.from(long), 0, 0, long.length).text).toMatch(/^(a{63}\.){3}…$/);
    for (const pointer of [12, 14, 0x3fff]) {
      const loop = Uint8Array.of(1, 0x62, 0xc0 | (pointer >> 8), pointer & 0xff, 0, 1, 0, 1);
      const decoded = decode(dns([1, 0, 0, 0], loop));
      expect(decoded.malformed).toBe(true);
      expect(decoded.info).toBe("Standard query 0x0001 [Malformed Packet]");
    }
    // Names that each begin in the one before: bytes are read once, whatever the pointers say.
    const chain = Uint8Array.from(
      Array.from({ length: 8000 }, (_, i) => {
        const to = Math.max(0, 12 + 2 * (i - 1));
        return [0xc0 | (to >> 8), to & 0xff];
      }).flat(),
    );
    expect(decode(dns([100, 0, 0, 0], chain)).protocol).toBe("DNS");
  });
});

describe("lengths and checksums that contradict each other", () => {
  const datagram = ipv4(17, udp(2000, Uint8Array.of(1, 2, 3, 4)));
  const put = (packet: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = packet.slice();
    copy[at] = value >> 8;
    copy[at + 1] = value & 0xff;
    return copy;
  };

  it("of UDP: what is claimed stands beside what is there", () => {
    const decoded = decode(put(datagram, 24, 65535));
    expect(decoded.info).toBe("7 → 2000 [BAD UDP LENGTH 65535 > IP PAYLOAD LENGTH 12] Len=4");
    expect(text(decoded.layers)).toContain("65535 bytes, but the IP packet has 12");
    expect(decode(put(datagram, 24, 7)).info).toContain("BAD UDP LENGTH 7 < 8");
    expect(decode(put(datagram, 24, 10)).info).toBe("7 → 2000 Len=2");
  });

  it("of IP: what is claimed stands beside what is there", () => {
    expect(text(decode(put(datagram, 2, 1000)).layers)).toContain("1000 bytes, of which 32 are");
    const six = ipv6(17, datagram.subarray(20));
    expect(text(decode(put(six, 4, 999)).layers)).toContain("999 bytes, of which 12 are there");
    // A capture that was cut lacks bytes, but the header is right.
    expect(text(decode(datagram.subarray(0, 28), 32).layers)).not.toContain("of which");
  });

  it("of IPv4's header: the addresses are shown, and nothing behind them", () => {
    for (const first of [0x44, 0x4f]) {
      const decoded = decode(Uint8Array.of(first, ...datagram.subarray(1)));
      expect([decoded.source, decoded.protocol]).toEqual(["10.0.0.1", "IPv4"]);
      expect(decoded.info).toMatch(/^Bogus IP/);
    }
  });

  it("of TCP's header: its length is said to be wrong", () => {
    const segment = ipv4(6, Uint8Array.of(0, 1, 0, 2, ...new Uint8Array(16)));
    for (const [offset, said] of [
      [0x40, "16, must be at least 20"],
      [0xf0, "60, must be no more than 20"],
    ] as const) {
      segment[32] = offset;
      expect(decode(segment).info).toContain(said);
    }
  });

  it("of UDP: no checksum is none over IPv4 and invalid over IPv6", () => {
    expect(text(decode(datagram).layers)).toContain("Checksum none");
    const decoded = decode(ipv6(17, datagram.subarray(20)));
    expect(text(decoded.layers)).toContain("invalid");
    expect(decoded.info).toContain("[ILLEGAL CHECKSUM (0)]");
  });
});

describe("random bytes", () => {
  it("never make the decoder throw, or the filter and the decoder disagree", () => {
    const packets = (corpus as unknown as { packet: string }[]).map(({ packet }) =>
      parseHex(packet),
    );
    expect(fuzz(packets, 30_000)).toEqual([]);
  });
});

describe("what lies about its length", () => {
  function beyond(fields: readonly Field[], size: number): Field | undefined {
    return fields
      .flatMap((field) => [field, ...field.fields])
      .find((field) => field.start > field.end || field.end > size);
  }

  it("a header that is cut has no field beyond the end of the packet", () => {
    const authentication = joined(Uint8Array.of(17, 4, 0, 0, 0, 0, 0, 1), new Uint8Array(16));
    const inner = joined(authentication, udp(53, new Uint8Array(30)));
    for (const whole of [ipv4(51, inner), ipv6(51, inner), error(ipv4(51, inner))]) {
      for (let size = 1; size <= whole.length; size++) {
        const { layers } = decode(whole.slice(0, size), whole.length);
        expect(beyond(layers, size)).toBeUndefined();
      }
    }
  });

  it("the row tells of a wrong UDP length whatever the port announces", () => {
    for (const port of [53, 67, 123, 443, 5353, 9]) {
      const datagram = udp(port, new Uint8Array(40));
      datagram[4] = 7;
      const { info, protocol, layers } = decode(ipv4(17, datagram));
      expect(info).toContain("BAD UDP LENGTH");
      expect(protocol).toBe("UDP");
      expect(layers.at(-1)?.name).toBe("data");
    }
  });
});

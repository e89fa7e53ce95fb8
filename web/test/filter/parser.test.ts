import { describe, expect, it } from "vitest";
import { completionsAt } from "../../src/filter/completion";
import { FIELDS } from "../../src/filter/fields";
import { FilterError } from "../../src/filter/lexer";
import { compileFilter } from "../../src/filter/parser";
import { ALONE, PacketSubject } from "../../src/filter/subject";
import { parseAddress } from "../../src/packet/address";
import { echoRequest, tcp, udp } from "../../src/packet/build";
import { parseHex } from "../../src/packet/hex";
import corpus from "../packet/corpus.json";

const address = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array(4);
const pair = { source: address("10.6.7.7"), destination: address("192.0.2.9") };
const pair6 = { source: address("fd06:7::7"), destination: address("2001:db8::1") };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const ports = { sourcePort: 50000, destinationPort: 443, sequence: 7, data: text("Hello") };

const SYN = tcp({ ...pair, ...ports });
const ACK = tcp({ ...pair6, ...ports, flags: 0x10 });
const UDP = udp({ ...pair, sourcePort: 5353, destinationPort: 9, data: new Uint8Array(600) });
const PING = echoRequest({ ...pair, identifier: 1, sequence: 2, data: text("ping") });
const PING6 = echoRequest({ ...pair6, identifier: 1, sequence: 2, data: text("ping") });

function passes(filter: string, packet: Uint8Array, injected = false, length = packet.length) {
  const test = compileFilter(filter);
  const subject = new PacketSubject(ALONE);
  // Not at the start of the buffer, as in a message.
  const bytes = new Uint8Array(packet.length + 7);
  bytes.set(packet, 3);
  subject.headers.read(bytes, 3, 3 + packet.length, length, injected);
  subject.point(0, 1);
  return test === null || test.test(subject);
}

function errorOf(filter: string): FilterError {
  try {
    compileFilter(filter);
  } catch (error) {
    if (error instanceof FilterError) return error;
  }
  throw new Error(`"${filter}" was understood.`);
}

describe("the display filter", () => {
  const cases: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ["tcp", SYN, UDP],
    ["tcp and port 443", SYN, UDP],
    ["ip.src == 10.6.7.0/24", SYN, ACK],
    ["src host fd06::/16", ACK, SYN],
    ["ip.addr == 192.0.2.9", PING, ACK],
    ["ip.dst != 192.0.2.0", PING, ACK],
    ["icmp", PING, PING6],
    ["icmpv6", PING6, PING],
    ["icmp or icmpv6", PING6, SYN],
    ["not icmp", SYN, PING],
    ["!(icmp || udp)", SYN, UDP],
    ["tcp.flags.syn", SYN, ACK],
    ["tcp.flags.syn == 0", ACK, SYN],
    ["tcp.flags == 0x02", SYN, ACK],
    ["len > 500", UDP, SYN],
    ["len in {32, 48}", PING, SYN],
    ["port in {1-10, 5353}", UDP, SYN],
    ["port https", SYN, UDP],
    ["tcp.dstport >= 443", SYN, UDP],
    ["src port 50000", SYN, UDP],
    ["src host fd06:7::7", PING6, PING],
    ["dst 192.0.2.0/24 and udp", UDP, SYN],
    ["udp.port == 5353", UDP, SYN],
    ["ipv6", ACK, SYN],
    ["ttl == 64 and tcp", SYN, UDP],
    ["icmp.seq == 2", PING, PING6],
    ["icmpv6.echo.sequence_number == 2", PING6, PING],
    ["tcp.len == 5", SYN, PING],
    ['"hello"', SYN, PING],
    ['"192.0.2"', PING, PING6],
    ['"Echo"', PING, SYN],
  ];
  for (const [filter, passing, failing] of cases) {
    it(`understands ${filter}`, () => {
      expect([passes(filter, passing), passes(filter, failing)]).toEqual([true, false]);
    });
  }

  it("lets everything pass when it is empty", () => {
    expect(compileFilter("  ")).toBeNull();
  });

  it("knows the direction and whether a packet was cut", () => {
    expect(passes("injected", PING, true)).toBe(true);
    expect(passes("received", PING, true)).toBe(false);
    expect(passes("cut and len == 900", PING, false, 900)).toBe(true);
  });

  it("binds and closer than or", () => {
    expect(passes("udp or tcp and port 1", UDP)).toBe(true);
    expect(passes("(udp or tcp) and port 1", UDP)).toBe(false);
  });

  it("asks every field of a name that the decoder finds", () => {
    const response = corpus.find((one) => one.info.includes("A 192.0.2.1 A 192.0.2.2"));
    const packet = parseHex(response?.packet ?? "");
    expect(passes("dns.a == 192.0.2.2", packet)).toBe(true);
    expect(passes('dns.qry.name contains "example"', packet)).toBe(true);
    expect(passes("dns.flags.response == 0", packet)).toBe(false);
    expect(passes("dns.cname", packet)).toBe(true);
  });

  it("never throws on a packet, whatever it holds", () => {
    const tests = [...FIELDS.values()].flatMap(({ name, kind }) => {
      const value = { ipv4: "10.0.0.0/8", ipv6: "fd00::/8", number: "1", text: '"a"' }[
        kind as string
      ];
      if (value !== undefined) return [`${name} == ${value}`];
      return kind === "date" || name === "host" ? [] : [name];
    });
    for (const { packet } of corpus.slice(0, 60)) {
      const whole = parseHex(packet);
      for (const end of [0, 1, 19, 24, 41, 60, whole.length]) {
        const cut = whole.subarray(0, end);
        expect(() => tests.map((filter) => passes(filter, cut))).not.toThrow();
      }
    }
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ["tcp.flag.syn", "tcp.flag.syn", "did you mean tcp.flags.syn?"],
    ["port == x", "x", "is not a port"],
    ["ip.src == 10.6.7", "10.6.7", "is not an address"],
    ["(tcp", "(", "closing bracket"],
    ["tcp)", ")", "never opened"],
    ['"abc', '"abc', "closing quote"],
    ["len >", "", "value after >"],
    ["tcp and", "", "should stand"],
    ["and tcp", "and", "should stand before"],
    ["len contains 5", "5", "needs text or bytes"],
    ["foo == 1", "foo", 'no field "foo"'],
    ["tcp.flags.syn == 5", "5", "is true or false"],
    ["ip.addr == 10.0.0.0/33", "10.0.0.0/33", "is not an address"],
    ["tcp & udp", "&", "numbers on both sides"],
  ];
  for (const [filter, place, message] of wrong) {
    it(`says what is wrong with ${filter}, and where`, () => {
      const error = errorOf(filter);
      expect([filter.slice(error.start, error.end), error.message]).toEqual([
        place,
        expect.stringContaining(message),
      ]);
    });
  }
});

describe("completion", () => {
  const texts = (filter: string, addresses: string[] = []): string[] =>
    completionsAt(filter, filter.length, addresses).suggestions.map((one) => one.text);

  it("offers what begins as typed before what contains it", () => {
    expect(texts("icm")[0]).toBe("icmp");
    expect(texts("tcp.fl")[0]).toBe("tcp.flags");
  });

  it("offers logic after a whole term and operators after a field", () => {
    expect(texts("tcp ")).toContain("and");
    expect(texts("len ")).toEqual(expect.arrayContaining(["==", "<", ">"]));
    expect(texts("ip.src ")).toEqual(["==", "!=", "in", "and", "or", "xor"]);
  });

  it("offers addresses the table has seen, and well-known ports", () => {
    expect(texts("ip.src == 10.", ["10.6.7.7", "fd06::1"])).toEqual(["10.6.7.7"]);
    expect(texts("tcp and port 4")).toEqual(["443"]);
  });

  it("replaces the word that is being typed", () => {
    expect(completionsAt("tcp and ud", 10).start).toBe(8);
  });
});

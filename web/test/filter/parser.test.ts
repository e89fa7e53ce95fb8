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
    ["“hello”", SYN, PING],
    ["frame contains «Hello»", SYN, PING],
    ["tcp contains ‘H’", SYN, PING],
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
    ["tcp and", "", "is missing"],
    ["and tcp", "and", "is missing before"],
    ["len contains 5", "5", "needs text or bytes"],
    ["foo == 1", "foo", 'no field "foo"'],
    ["tcp.flags.syn == 5", "5", "is true or false"],
    ["ip.addr == 10.0.0.0/33", "10.0.0.0/33", "is not an address"],
    ["tcp & udp", "&", "numbers on both sides"],
    ["tcp.port == 70000", "70000", "between 0 and 65535"],
    ["tcp.port == -1", "-1", "between 0 and 65535"],
    ["ip.ttl == 256", "256", "between 0 and 255"],
    ["tcp.port == 089", "089", "octal"],
    ["tcp.port in {9..1}", "9..1", "ends before"],
    ["port 9-1", "9-1", "ends before"],
    ["ip.src == fd06::1", "fd06::1", "is an IPv4 field"],
    ["tcp == 5", "5", "is a protocol"],
    ["tcp.analysis.flags == 1", "1", "has no value"],
    ["tcp.port == udp", "udp", "not a port"],
    ["tcp.port contains 5", "5", "needs text or bytes"],
    ["dns.qry.name matches abc", "abc", "in quotes"],
    ['dns.qry.name matches "(a"', '(a"', "closing bracket"],
    ["frame contains GET", "GET", "is not a sequence of bytes"],
    ["len(tcp)", "len(tcp)", "with something"],
    ["len(tcp.port) > 1", "len", "needs text or bytes"],
    ["upper(tcp.port) == 1", "upper", "needs text"],
    ["tcp.port[0] == 1", "[0]", "no bytes"],
    ["tcp[x] == 1", "[x]", "A slice is written"],
    ["80 == tcp.port", "80", "left side should be"],
    ["tcp.port == tcp.foo", "tcp.foo", "no field"],
    ["ip.src == tcp.port", "==", "cannot be compared"],
    ["any tcp.port", "tcp.port", "comparison should follow"],
    ["frame.time > yesterday", "yesterday", "not a time"],
    ["tcp.port in 80", "in 80", "curly brackets"],
    ["host", "host", "address should follow"],
    ["port", "port", "number should follow"],
    ["ip.addr#0 == 10.0.0.1", "#0", "count from 1"],
    ["tcp.port == 'ab'", "'ab'", "not a port"],
    ["ip.proto == TCPX", "TCPX", "not the name of a value"],
    ['ip.checksum.status == "Badd"', '"Badd"', "not the name of a value"],
    ["eth.addr == 1", "eth.addr", "begin with their IP header"],
    ["tcp.", "tcp.", "name of a field is missing"],
    ["ip.addr == 10.6.7.*", "*", "no wildcards"],
    ["dns.qry.name == *.example.com", "*", "no wildcards"],
    ["http.host == “a", "“a", "closing quote"],
    ['ftp.request.command == "USER"', "ftp.request.command", "not decoded here"],
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

describe("what is offered for a filter that is refused", () => {
  const offers: readonly (readonly [filter: string, offer: string | undefined])[] = [
    ["arp", '"arp"'],
    ["!arp", undefined],
    ["not arp and tcp", "tcp"],
    ["udp && !arp && ip.ttl < 9", "udp && ip.ttl < 9"],
    ["tcp or not arp and udp", "tcp or udp"],
    ["udp and not arp or tcp", "udp or tcp"],
    ["!!arp and tcp", undefined],
    ["not arp or tcp", undefined],
    ["arp or icmp", '"arp" or icmp'],
    ["icmp || (arp || tcp)", 'icmp || ("arp" || tcp)'],
    ["udp and arp or tcp", 'udp and "arp" or tcp'],
    ["tcp xor not arp and udp", undefined],
    ["_ws.expert", undefined],
    ["tcp and hello", 'tcp and "hello"'],
    ["tcp.flag.syn", "tcp.flags.syn"],
    ["tcp udp", "tcp and udp"],
    ["tcp port 443", "tcp and port 443"],
    ["tcp tcp", "tcp and tcp"],
    ["dns.qry.nam contains x", "dns.qry.name contains x"],
    ["foo == 1", undefined],
    ["foo and bar", '"foo" and "bar"'],
    ["not smtp", "not tcp.port in {25, 465, 587}"],
    ["tcp and (FTP or udp)", "tcp and (tcp.port == 21 or udp)"],
    ["ftp or sip", "tcp.port == 21 or port == 5060"],
    ["sip", "port == 5060"],
    ['smtp.req.command == "QUIT" and ip', "tcp.port in {25, 465, 587} and ip"],
    ["tcp smtp", "tcp and tcp.port in {25, 465, 587}"],
    ["tcp.port == 80 or 443 or 8080", "tcp.port == 80 or tcp.port == 443 or tcp.port == 8080"],
    [
      "http.request.method == GET or not POST",
      "http.request.method == GET or not http.request.method == POST",
    ],
    ["port 80 or 443", "port 80 or port 443"],
    ["tcp and 10.6.7.0/24", "tcp and host 10.6.7.0/24"],
    ["fd06:7::7", "host fd06:7::7"],
    ["www.example.com", '"www.example.com"'],
    ["ip.addr 10.6.7.7", "ip.addr == 10.6.7.7"],
    ["tcp.dport == 80", "tcp.dstport == 80"],
    ["tcp.syn", "tcp.flags.syn"],
    ["tcp.retransmission", "tcp.analysis.retransmission"],
    ["dns.query", "dns.qry.name"],
    ["http.status == 404", "http.response.code == 404"],
    ["quic.sni", undefined],
    ["rtcp", '"rtcp"'],
    ["http contains password and tcp", 'http contains "password" and tcp'],
    ["tcp.port == x", undefined],
  ];
  for (const [filter, offer] of offers) {
    it(`${filter} becomes ${offer ?? "nothing"}`, () => {
      expect(errorOf(filter).offer).toBe(offer);
      if (offer !== undefined) expect(() => compileFilter(offer)).not.toThrow();
    });
  }

  it("comes in no time, however many words are not known", () => {
    const words = Array.from({ length: 1000 }, (_, i) => `w${i}`).join(" ");
    expect(errorOf(words).message).toContain('"w0"');
    expect(errorOf("(".repeat(5000)).message).toContain("deep");
    expect(errorOf("!".repeat(5000)).message).toContain("deep");
    expect(errorOf("x".repeat(20_000)).message).toContain("characters");
  });
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

  it("offers values that a field can have, and what goes with it", () => {
    expect(texts("icmp.type == ")).toContain("8");
    expect(texts("tcp.flags.syn == ")).toEqual(["1", "0"]);
    expect(texts("ip.checksum.status == ")).toContain('"Bad"');
    expect(texts("http.host ")).toEqual(expect.arrayContaining(["contains", "matches"]));
    expect(texts("tcp.flags.syn ")).not.toContain("contains");
  });

  it("says something about everything it offers", () => {
    const silent = [..."abcdefghijklmnopqrstuvwxyz"].flatMap((letter) =>
      completionsAt(letter, 1).suggestions.filter(({ about }) => about === ""),
    );
    expect(silent).toEqual([]);
  });

  it("offers only what can be written there", () => {
    for (const { text } of completionsAt("", 0).suggestions.filter((one) => FIELDS.has(one.text))) {
      expect(FIELDS.get(text)?.about).not.toBe("");
    }
  });

  it("offers what people begin with before anything is typed", () => {
    expect(texts("").slice(0, 5)).toEqual(["ip.addr", "ipv6.addr", "port", "host", "tcp"]);
    expect(texts("tcp.port ")[0]).toBe("==");
  });

  it("offers nothing within quotes", () => {
    expect(texts('frame contains "ic')).toEqual([]);
  });

  it("replaces the word that is being typed", () => {
    expect(completionsAt("tcp and ud", 10).start).toBe(8);
  });
});

/** What the decoder says where it is easy to say something else. */

import { expect, it } from "vitest";
import { decode } from "../../src/packet/decode";
import type { Dissection, Field, Value } from "../../src/packet/dissection";
import { hex, ipv4, ipv6, joined, tcp, text, udp } from "./made";

function values(decoded: Dissection, name: string): Value[] {
  const found: Value[] = [];
  const walk = (field: Field): void => {
    if (field.name === name) found.push(field.value);
    field.fields.forEach(walk);
  };
  decoded.layers.forEach(walk);
  return found;
}

const names = (decoded: Dissection): string[] => decoded.layers.map(({ name }) => name);
const datagram = (port: number, data: Uint8Array): Dissection => decode(ipv4(17, udp(port, data)));
const segment = (port: number, data: Uint8Array): Dissection => decode(ipv4(6, tcp(port, data)));
const query = (question: string, counts = "0001 0000 0000 0000"): Uint8Array =>
  hex(`0007 0100 ${counts} ${question}`);

it("names that lead forward, loop, go beyond the end or are of no known kind are malformed", () => {
  for (const question of ["c030 0001 0001", "c00c 0001 0001", "3f61 6200", "4061 0000 0100 01"]) {
    const decoded = datagram(53, query(question));
    expect(decoded.malformed).toBe(true);
    expect(names(decoded).at(-1)).toBe("_ws.malformed");
    expect(decoded.info).toContain("[Malformed Packet]");
  }
});

it("a message that promises 65,535 questions and has one is malformed", () => {
  const decoded = datagram(53, query("0161 00 0001 0001", "ffff 0000 0000 0000"));
  expect([decoded.malformed, decoded.info]).toEqual([
    true,
    "Standard query 0x0007 A a [Malformed Packet]",
  ]);
});

it("bytes that the capture cut are not malformed", () => {
  const whole = ipv4(17, udp(53, query("0361 6263 00 0001 0001")));
  const decoded = decode(whole.subarray(0, 46), whole.length);
  expect([decoded.malformed, decoded.info]).toEqual([
    false,
    "Standard query 0x0007 [Packet size limited during capture]",
  ]);
});

it("names, targets and servers are UTF-8, without what turns text about", () => {
  const name = text("m\u00fcnch\u202een");
  const decoded = datagram(
    53,
    joined(joined(query(""), Uint8Array.of(name.length, ...name)), hex("00 0001 0001")),
  );
  expect(values(decoded, "dns.qry.name")).toEqual(["m\u00fcnch.en"]);
  expect(segment(80, text("GET /m\u00fcnchen HTTP/1.1\r\n\r\n")).info).toBe(
    "GET /m\u00fcnchen HTTP/1.1",
  );
});

it("QUIC is told by its version, whose kinds have numbers of their own", () => {
  const long = (first: string, version: string, rest: string): Uint8Array =>
    hex(`${first} ${version} 01aa 01bb ${rest}`);
  const initial = "00 4004 00000000";
  expect(datagram(4433, long("c0", "00000001", initial)).info).toBe("Initial, DCID=aa, SCID=bb");
  expect(datagram(443, long("d0", "6b3343cf", initial)).info).toBe("Initial, DCID=aa, SCID=bb");
  const negotiation = datagram(443, long("80", "00000000", "00000001 6b3343cf"));
  expect(negotiation.info).toBe("Version Negotiation, DCID=aa, SCID=bb");
  expect(values(negotiation, "quic.supported_version")).toEqual([1, 0x6b3343cf]);
});

it("what is not QUIC on UDP port 443 is not called so", () => {
  expect(datagram(443, text("hello, this is some other protocol")).protocol).toBe("UDP");
  expect(datagram(443, hex("16 fefd 0000 000000000001 0004 0e000000")).protocol).toBe("DTLS");
});

it("an error that quotes eight bytes of TCP shows ports and sequence number", () => {
  const lost = ipv4(6, tcp(80, [])).subarray(0, 28);
  for (const type of [3, 4, 11]) {
    const decoded = decode(ipv4(1, joined(Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0), lost)));
    expect(values(decoded, "tcp.dstport")).toEqual([80]);
    expect(values(decoded, "tcp.seq_raw")).toEqual([5]);
    expect([decoded.protocol, decoded.malformed]).toEqual(["ICMP", false]);
  }
});

it("an unknown code is said to be one", () => {
  expect(decode(ipv4(1, hex("03 63 0000 00000000"))).info).toContain("Unknown code: 99");
  expect(decode(ipv6(58, hex("01 63 0000 00000000"))).info).toContain("Unknown code: 99");
});

it("every handshake of a record is told, and an alert with level and reason", () => {
  const hello = `02 000028 0303 ${"00".repeat(32)} 00 1301 00 0000`;
  const certificate = "0b 000003 000000";
  const done = "0e 000000";
  const size = hex(hello + certificate + done)
    .length.toString(16)
    .padStart(4, "0");
  const record = hex(`16 0303 ${size} ${hello} ${certificate} ${done}`);
  expect(segment(443, record).info).toBe("Server Hello, Certificate, Server Hello Done");
  const alert = segment(443, hex("15 0303 0002 0228"));
  expect(alert.info).toBe("Alert (Level: Fatal, Description: Handshake Failure)");
  expect(values(alert, "tls.alert_message.desc")).toEqual([40]);
});

it("every message of a segment of DNS is told", () => {
  const one = query("0161 00 0001 0001");
  const framed = joined(Uint8Array.of(0, one.length), one);
  const decoded = segment(53, joined(framed, framed));
  expect(names(decoded)).toEqual(["ip", "tcp", "dns", "dns"]);
  expect(decoded.info).toBe("Standard query 0x0007 A a, Standard query 0x0007 A a");
});

it("what an authentication header covers is decoded over IPv4 too", () => {
  const covered = joined(
    hex("1104 0000 00000001 00000002 000000000000000000000000"),
    udp(9, text("x")),
  );
  const decoded = decode(ipv4(51, covered));
  expect(names(decoded)).toEqual(["ip", "ah", "udp", "data"]);
  expect(values(decoded, "ah.sequence")).toEqual([2]);
});

it("a window is scaled by 14 bits at most", () => {
  const options = hex("0303 0f00");
  const head = tcp(80, []);
  head[12] = 0x60;
  expect(decode(ipv4(6, joined(head, options))).info).toContain("WS=16384");
});

it("an address of IPv4 in one of IPv6 is written as such", () => {
  const packet = ipv6(17, udp(9, text("x")));
  packet.set([1, 2, 3, 4], 20);
  expect(decode(packet).source).toBe("::1.2.3.4");
});

it("what Windows sends first is told by name", () => {
  const name = joined(Uint8Array.of(32), text(`FHFAEBEE${"CA".repeat(11)}AA\0`));
  for (const [port, data, protocol, info] of [
    [5355, query("04 77706164 00 0001 0001"), "LLMNR", "Standard query 0x0007 A wpad"],
    [
      137,
      joined(joined(hex("8123 0110 0001 0000 0000 0000"), name), hex("0020 0001")),
      "NBNS",
      "Name query NB WPAD<00>",
    ],
    [1900, text("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n"), "SSDP", "M-SEARCH * HTTP/1.1"],
    [547, hex("01 123456 0008 0002 0064"), "DHCPv6", "Solicit XID: 0x123456"],
  ] as const) {
    const decoded = datagram(port, data);
    expect([decoded.protocol, decoded.info, decoded.malformed]).toEqual([protocol, info, false]);
  }
  const joins = decode(ipv4(2, hex("22 00 0000 0000 0001 04 00 0000 e00000fb")));
  expect([joins.protocol, joins.info]).toEqual([
    "IGMPv3",
    "Membership Report / Join group 224.0.0.251 for any sources",
  ]);
});

it("tunnels and newer transports are told by name", () => {
  const inner = ipv4(17, udp(9, text("x")));
  const gre = decode(ipv4(47, joined(hex("0000 0800"), inner)));
  expect([gre.protocol, gre.info, names(gre)]).toEqual([
    "GRE",
    "Encapsulated UDP: 7 \u2192 9 Len=1",
    ["ip", "gre", "ip", "udp", "data"],
  ]);
  expect(decode(ipv4(50, hex("00001001 00000001 00"))).info).toBe("ESP (SPI=0x00001001)");
  const sack = decode(
    ipv4(132, hex("0005 0006 00000001 00000000 03000010 00000005 000003e7 00000000")),
  );
  expect(sack.info).toBe("SACK (Ack=5, Arwnd=999)");
  expect(datagram(51820, hex(`04000000 01000000 0700000000000000 ${"00".repeat(16)}`)).info).toBe(
    "Keepalive, receiver=0x00000001, counter=7",
  );
  const stun = hex(`0101 000c 2112a442 ${"00".repeat(12)} 0020 0008 0001a147e1baa54b`);
  expect(datagram(3478, stun).info).toBe(
    "Binding Success Response XOR-MAPPED-ADDRESS: 192.168.1.9:32853",
  );
  const ike = hex(`0000000000000001 0000000000000000 00 20 22 08 00000000 0000001c`);
  expect(datagram(500, ike).info).toBe("IKE_SA_INIT MID=00 Initiator Request");
});

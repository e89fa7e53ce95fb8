/** What a display filter can ask of a packet. */

import { u8, u16, u32 } from "../packet/bytes";
import type { Headers } from "../packet/headers";
import { isHttp, isTls } from "../packet/sniff";

export type Test = (headers: Headers) => boolean;
/** Returns -1 where the packet has no such field. */
export type NumberReader = (headers: Headers) => number;

export interface NumberField {
  readonly kind: "number" | "port";
  readonly about: string;
  /** More than one where a packet has several: a comparison holds when one of them fits. */
  readonly read: readonly NumberReader[];
}

export interface AddressField {
  readonly kind: "address";
  readonly about: string;
  /** 4 or 6; 0 for both. */
  readonly version: 0 | 4 | 6;
  readonly ends: readonly ("source" | "destination")[];
}

export interface FlagField {
  readonly kind: "flag";
  readonly about: string;
  readonly test: Test;
}

/** A field that only the whole decoder knows: slower, so looked at last. */
export interface DecodedField {
  readonly kind: "decoded";
  readonly about: string;
}

export type FilterField = NumberField | AddressField | FlagField | DecodedField;

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;

const number = (about: string, ...read: NumberReader[]): NumberField => ({
  kind: "number",
  about,
  read,
});
const port = (about: string, ...read: NumberReader[]): NumberField => ({
  kind: "port",
  about,
  read,
});
const flag = (about: string, test: Test): FlagField => ({ kind: "flag", about, test });
const address = (
  about: string,
  version: 0 | 4 | 6,
  ...ends: AddressField["ends"]
): AddressField => ({ kind: "address", about, version, ends });

/** Read a number of the outermost and of the innermost IP header, where they have this version. */
const ip = (version: 4 | 6, read: (bytes: Uint8Array, at: number) => number): NumberReader[] => [
  (h) => (h.outer === version ? read(h.bytes, h.start) : -1),
  (h) => (h.version === version ? read(h.bytes, h.ip) : -1),
];
const at =
  (read: typeof u8, offset: number): typeof u8 =>
  (bytes, start) =>
    read(bytes, start + offset);

/** Read a number of the upper layer's header. */
const upper =
  (protocol: number, read: typeof u8, at: number): NumberReader =>
  (h) =>
    h.protocol === protocol && h.upper >= 0 && h.upper + at < h.stop
      ? read(h.bytes, h.upper + at)
      : -1;

const sourcePort =
  (protocol: number): NumberReader =>
  (h) =>
    h.protocol === protocol ? h.sourcePort : -1;
const destinationPort =
  (protocol: number): NumberReader =>
  (h) =>
    h.protocol === protocol ? h.destinationPort : -1;

const isProtocol = (about: string, number: number): FlagField =>
  flag(about, (h) => h.protocol === number);
const hasPort =
  (protocol: number, wanted: number): Test =>
  (h) =>
    h.protocol === protocol && (h.sourcePort === wanted || h.destinationPort === wanted);
const onUdp = (about: string, wanted: number): FlagField => flag(about, hasPort(UDP, wanted));
const tcpFlag = (bit: number): FlagField =>
  flag(
    "",
    (h) => h.protocol === TCP && h.upper >= 0 && ((u8(h.bytes, h.upper + 13) >> bit) & 1) === 1,
  );

/** Where the data of a TCP segment begins; -1 without one. */
function segment(h: Headers): number {
  if (h.protocol !== TCP || h.upper < 0 || h.upper + 20 > h.stop) return -1;
  const header = (u8(h.bytes, h.upper + 12) >> 4) * 4;
  return header < 20 ? -1 : h.upper + header;
}

const onTcp =
  (begins: typeof isTls): Test =>
  (h) => {
    const at = segment(h);
    return at >= 0 && at < h.stop && begins(h.bytes, at, h.stop);
  };

const ipFlag = (mask: number): FlagField =>
  flag("", (h) => ip(4, at(u8, 6)).some((read) => read(h) > 0 && (read(h) & mask) !== 0));

const udpDns = hasPort(UDP, 53);
const tcpDns = hasPort(TCP, 53);

export const FIELDS: Record<string, FilterField> = {
  ip: flag("IPv4, also in a tunnel", (h) => h.outer === 4 || h.version === 4),
  ipv6: flag("IPv6, also in a tunnel", (h) => h.outer === 6 || h.version === 6),
  tcp: isProtocol("TCP", TCP),
  udp: isProtocol("UDP", UDP),
  icmp: isProtocol("ICMP", ICMP),
  icmpv6: isProtocol("ICMPv6", ICMPV6),
  igmp: isProtocol("IGMP", 2),
  gre: isProtocol("GRE", 47),
  esp: isProtocol("ESP", 50),
  sctp: isProtocol("SCTP", 132),
  dns: flag("DNS on port 53", (h) => udpDns(h) || tcpDns(h)),
  mdns: onUdp("Multicast DNS on port 5353", 5353),
  ntp: onUdp("NTP on port 123", 123),
  quic: onUdp("QUIC on UDP port 443", 443),
  dhcp: flag(
    "DHCP on ports 67 and 68",
    (h) => h.protocol === UDP && (h.destinationPort === 67 || h.destinationPort === 68),
  ),
  http: flag("A segment that begins an HTTP/1 message", onTcp(isHttp)),
  tls: flag("A segment that begins with a TLS record", onTcp(isTls)),
  fragment: flag("Part of a fragmented packet", (h) => h.fragment),
  received: flag("From the host to the application", (h) => !h.injected),
  injected: flag("From the application to the host", (h) => h.injected),
  cut: flag("Cut by the snap length", (h) => h.originalLength > h.end - h.start),

  len: number("Length of the packet in bytes", (h) => h.originalLength),
  port: port(
    "Source or destination port",
    (h) => h.sourcePort,
    (h) => h.destinationPort,
  ),
  proto: number("IP protocol number", (h) => h.protocol),
  ttl: number("Time to live or hop limit", ...ip(4, at(u8, 8)), ...ip(6, at(u8, 7))),

  "ip.src": address("Source address", 0, "source"),
  "ip.dst": address("Destination address", 0, "destination"),
  "ip.addr": address("Source or destination address", 0, "source", "destination"),
  "ipv6.src": address("IPv6 source address", 6, "source"),
  "ipv6.dst": address("IPv6 destination address", 6, "destination"),
  "ipv6.addr": address("IPv6 source or destination", 6, "source", "destination"),

  "frame.len": number("", (h) => h.originalLength),
  "ip.version": number(
    "",
    (h) => h.outer || -1,
    (h) => h.version || -1,
  ),
  "ip.hdr_len": number("", ...ip(4, (b, i) => (u8(b, i) & 15) * 4)),
  "ip.len": number("", ...ip(4, at(u16, 2))),
  "ip.id": number("", ...ip(4, at(u16, 4))),
  "ip.flags.df": ipFlag(0x40),
  "ip.flags.mf": ipFlag(0x20),
  "ip.frag_offset": number("", ...ip(4, (b, i) => u16(b, i + 6) & 0x1fff)),
  "ip.ttl": number("", ...ip(4, at(u8, 8))),
  "ip.proto": number("", (h) => h.protocol),
  "ip.dsfield.dscp": number("", ...ip(4, (b, i) => u8(b, i + 1) >> 2)),
  "ipv6.hlim": number("", ...ip(6, at(u8, 7))),
  "ipv6.plen": number("", ...ip(6, at(u16, 4))),
  "ipv6.nxt": number("", ...ip(6, at(u8, 6))),
  "ipv6.flow": number("", ...ip(6, (b, i) => u32(b, i) % 0x100000)),

  "tcp.port": port("", sourcePort(TCP), destinationPort(TCP)),
  "tcp.srcport": port("", sourcePort(TCP)),
  "tcp.dstport": port("", destinationPort(TCP)),
  "tcp.seq": number("", upper(TCP, u32, 4)),
  "tcp.ack": number("", upper(TCP, u32, 8)),
  "tcp.flags": number("", (h) =>
    h.protocol === TCP && h.upper >= 0 ? u16(h.bytes, h.upper + 12) & 0xfff : -1,
  ),
  "tcp.flags.fin": tcpFlag(0),
  "tcp.flags.syn": tcpFlag(1),
  "tcp.flags.reset": tcpFlag(2),
  "tcp.flags.push": tcpFlag(3),
  "tcp.flags.ack": tcpFlag(4),
  "tcp.flags.urg": tcpFlag(5),
  "tcp.window_size_value": number("", upper(TCP, u16, 14)),
  "udp.port": port("", sourcePort(UDP), destinationPort(UDP)),
  "udp.srcport": port("", sourcePort(UDP)),
  "udp.dstport": port("", destinationPort(UDP)),
  "udp.length": number("", upper(UDP, u16, 4)),

  "icmp.type": number("", upper(ICMP, u8, 0)),
  "icmp.code": number("", upper(ICMP, u8, 1)),
  "icmp.ident": number("", upper(ICMP, u16, 4)),
  "icmp.seq": number("", upper(ICMP, u16, 6)),
  "icmpv6.type": number("", upper(ICMPV6, u8, 0)),
  "icmpv6.code": number("", upper(ICMPV6, u8, 1)),
};

// Names that need no words beside them.
const DECODED = `
  tcp.len ip.checksum ip.checksum.status tcp.checksum.status tcp.hdr_len tcp.options.mss_val
  tcp.options.wscale.shift udp.checksum.status icmp.checksum.status icmpv6.checksum.status
  icmpv6.echo.identifier icmpv6.echo.sequence_number icmpv6.nd.ns.target_address
  icmpv6.nd.na.target_address ipv6.fraghdr.ident dns.id dns.flags.response dns.flags.rcode
  dns.qry.name dns.qry.type dns.resp.name dns.a dns.aaaa dns.cname dns.count.answers
  http.request.method http.request.uri http.response.code http.host tls.record.content_type
  tls.handshake.type tls.handshake.extensions_server_name dhcp.option.dhcp data.len
`;
for (const name of DECODED.trim().split(/\s+/)) FIELDS[name] = { kind: "decoded", about: "" };

/** Other ways to say the same. */
export const ALIASES: Readonly<Record<string, string>> = {
  ipv4: "ip",
  icmp6: "icmpv6",
  src: "ip.src",
  dst: "ip.dst",
  host: "ip.addr",
  net: "ip.addr",
  addr: "ip.addr",
  length: "len",
  "ip.hlim": "ttl",
  "tcp.flags.rst": "tcp.flags.reset",
  "tcp.flags.psh": "tcp.flags.push",
  "tls.sni": "tls.handshake.extensions_server_name",
};

export function fieldOf(name: string): FilterField | undefined {
  const key = name.toLowerCase();
  const canonical = Object.hasOwn(ALIASES, key) ? ALIASES[key] : key;
  return canonical !== undefined && Object.hasOwn(FIELDS, canonical)
    ? FIELDS[canonical]
    : undefined;
}

export function canonicalName(name: string): string {
  const key = name.toLowerCase();
  return (Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined) ?? key;
}

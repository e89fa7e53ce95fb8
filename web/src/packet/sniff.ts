/**
 * Who speaks behind a TCP or UDP header: by port, or by how the bytes begin. Looks at a few bytes
 * and needs no dissector, so that a filter or a statistic can ask it of every packet.
 */

import { u8, u16, u32 } from "./bytes";

/** The layers of applications, with their UDP ports. */
const UDP_PORTS: Readonly<Record<number, string>> = {
  53: "dns",
  67: "dhcp",
  68: "dhcp",
  123: "ntp",
  137: "nbns",
  161: "snmp",
  162: "snmp",
  500: "isakmp",
  546: "dhcpv6",
  547: "dhcpv6",
  1900: "ssdp",
  4500: "udpencap",
  5353: "mdns",
  5355: "llmnr",
};

/**
 * Return the name of the layer that the bytes from `start` to `end` are, "" when nobody knows
 * them: what `decode` shows, and the word for it in a filter.
 */
export function application(
  transport: "tcp" | "udp",
  source: number,
  destination: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  if (start >= end) return "";
  if (transport === "udp") {
    const known = UDP_PORTS[destination] ?? UDP_PORTS[source];
    if (known === "ssdp" && !isHttp(bytes, start, end)) return "";
    if (known === "snmp" && u8(bytes, start) !== 0x30) return "";
    if (known === "isakmp" && end - start < 28) return "";
    if (known !== undefined) return known;
    if (isQuic(bytes, start, end, source === 443 || destination === 443)) return "quic";
    if (isWireGuard(bytes, start, end)) return "wg";
    if (isStun(bytes, start, end)) return "stun";
    return isDtls(bytes, start, end) ? "dtls" : "";
  }
  if (source === 53 || destination === 53) {
    // A message behind its length (RFC 1035, section 4.2.2), not a part of one.
    const length = u16(bytes, start);
    return length >= 12 && start + 2 + length <= end ? "dns" : "";
  }
  if (isTls(bytes, start, end)) return "tls";
  if (isHttp(bytes, start, end)) return "http";
  if (begins(bytes, start, end, "SSH-")) return "ssh";
  if (begins(bytes, start, end, HTTP2)) return "http2";
  // Behind four bytes with the length (MS-SMB2, section 2.1).
  return (source === 445 || destination === 445) && u32(bytes, start + 4) === SMB2 ? "smb2" : "";
}

/** Layers whose protocol is not their name in capitals. */
const PROTOCOLS: Readonly<Record<string, string>> = { dhcpv6: "DHCPv6", wg: "WireGuard" };

/** Return what the table of packets calls a layer of this name, which begins at `start`. */
export function protocolOf(layer: string, bytes: Uint8Array, start: number, end: number): string {
  // Its one byte keeps a way open for others.
  if (layer === "udpencap" && end - start > 1) return u32(bytes, start) === 0 ? "ISAKMP" : "ESP";
  return PROTOCOLS[layer] ?? layer.toUpperCase();
}

/** How a client begins HTTP/2 (RFC 9113, section 3.4). */
export const HTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const STARTS = [
  "GET ",
  "POST ",
  "PUT ",
  "HEAD ",
  "DELETE ",
  "OPTIONS ",
  "PATCH ",
  "CONNECT ",
  "TRACE ",
  "HTTP/1.",
  "M-SEARCH * ",
  "NOTIFY * ",
  "SUBSCRIBE ",
];
const MAX_RECORD = 16384 + 2048;
const SMB2 = 0xfe534d42;
const QUIC_TWO = 0x6b3343cf;

/** Say whether the bytes at `start` are these characters. */
export function begins(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (start + text.length > end) return false;
  for (let i = 0; i < text.length; i++) {
    if (u8(bytes, start + i) !== text.charCodeAt(i)) return false;
  }
  return true;
}

export function isHttp(bytes: Uint8Array, start: number, end: number): boolean {
  const first = u8(bytes, start);
  if (first < 0x43 || first > 0x54) return false;
  return STARTS.some((text) => begins(bytes, start, end, text));
}

/** Say whether a message may begin with these few bytes. */
export function mayBeHttp(bytes: Uint8Array): boolean {
  return STARTS.some((text) => begins(bytes, 0, bytes.length, text.slice(0, bytes.length)));
}

/** Say whether a segment begins with a TLS record. */
export function isTls(bytes: Uint8Array, start: number, end: number): boolean {
  const type = u8(bytes, start);
  return (
    end - start >= 5 &&
    type >= 20 &&
    type <= 24 &&
    u8(bytes, start + 1) === 3 &&
    u8(bytes, start + 2) <= 3 &&
    u16(bytes, start + 3) <= MAX_RECORD
  );
}

/** Say whether a datagram begins with a record of DTLS (RFC 9147). */
export function isDtls(bytes: Uint8Array, start: number, end: number): boolean {
  const type = u8(bytes, start);
  const version = u16(bytes, start + 1);
  return (
    type >= 20 &&
    type <= 24 &&
    (version === 0xfefd || version === 0xfeff) &&
    start + 13 + u16(bytes, start + 11) <= end
  );
}

/** Say whether a datagram begins with a QUIC packet: a long header of a version that is known. */
export function isQuic(bytes: Uint8Array, start: number, end: number, port: boolean): boolean {
  const first = u8(bytes, start);
  if (first < 0x80) {
    // Nothing tells a short header but the port; text and DTLS do not look like one.
    if (!port || (first & 0x40) === 0 || end - start < 21) return false;
    for (let at = start; at < start + 16; at++) {
      if (u8(bytes, at) < 0x20 || u8(bytes, at) > 0x7e) return true;
    }
    return false;
  }
  const version = u32(bytes, start + 1);
  const destination = u8(bytes, start + 5);
  if (destination > 20 || end - start < 7 + destination) return false;
  const source = u8(bytes, start + 6 + destination);
  const rest = end - start - 7 - destination - source;
  if (source > 20 || rest < 0) return false;
  if (version === 0) return rest > 0 && rest % 4 === 0;
  return (
    (first & 0x40) !== 0 &&
    (version === 1 ||
      version === QUIC_TWO ||
      version >>> 8 === 0xff0000 ||
      (version & 0x0f0f0f0f) === 0x0a0a0a0a)
  );
}

/** By kind; data is of any length. */
const WIREGUARD_SIZES = [0, 148, 92, 64];

export function isWireGuard(bytes: Uint8Array, start: number, end: number): boolean {
  const word = u32(bytes, start);
  const size = end - start;
  if (word % 0x1000000 !== 0 || size < 32) return false;
  const kind = u8(bytes, start);
  // A counter is never so large that its last bytes are used.
  return kind === 4 ? u16(bytes, start + 14) === 0 : WIREGUARD_SIZES[kind] === size;
}

export function isStun(bytes: Uint8Array, start: number, end: number): boolean {
  const length = u16(bytes, start + 2);
  return (
    u8(bytes, start) < 0x40 &&
    u32(bytes, start + 4) === 0x2112a442 &&
    length % 4 === 0 &&
    start + 20 + length === end
  );
}

/** Build small packets, every checksum right. Addresses are the 4 or 16 bytes of one family. */

import { checksum, pseudoHeaderSum } from "./checksum";
import { Headers } from "./headers";

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

const TCP_SYN = 0x02;

const MAX_PACKET = 0xffff;

/** What every packet has. */
export interface Envelope {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** TTL or hop limit; 64 unless given. */
  readonly ttl?: number;
}

export interface Echo extends Envelope {
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

export interface Datagram extends Envelope {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly data: Uint8Array;
}

export interface Segment extends Datagram {
  readonly sequence: number;
  readonly acknowledgement?: number;
  /** A sum of the bits of the flags; SYN unless given. */
  readonly flags?: number;
  readonly window?: number;
}

/** Build an echo request of ICMP (RFC 792) or ICMPv6 (RFC 4443). Throws RangeError. */
export function echoRequest(echo: Echo): Uint8Array {
  const six = echo.source.length === 16;
  const message = new Uint8Array(8 + echo.data.length);
  message[0] = six ? 128 : 8;
  put16(message, 4, "identifier", echo.identifier);
  put16(message, 6, "sequence number", echo.sequence);
  message.set(echo.data, 8);
  return overIp(echo, six ? ICMPV6 : ICMP, message);
}

/** Build a UDP datagram (RFC 768). Throws RangeError. */
export function udp(datagram: Datagram): Uint8Array {
  const message = new Uint8Array(8 + datagram.data.length);
  put16(message, 0, "source port", datagram.sourcePort);
  put16(message, 2, "destination port", datagram.destinationPort);
  put16(message, 4, "length", message.length);
  message.set(datagram.data, 8);
  return overIp(datagram, UDP, message);
}

/** Build a TCP segment without options (RFC 9293). Throws RangeError. */
export function tcp(segment: Segment): Uint8Array {
  const message = new Uint8Array(20 + segment.data.length);
  put16(message, 0, "source port", segment.sourcePort);
  put16(message, 2, "destination port", segment.destinationPort);
  put32(message, 4, "sequence number", segment.sequence);
  put32(message, 8, "acknowledgement number", segment.acknowledgement ?? 0);
  message[12] = 0x50;
  message[13] = segment.flags ?? TCP_SYN;
  put16(message, 14, "window", segment.window ?? 64240);
  message.set(segment.data, 20);
  return overIp(segment, TCP, message);
}

/**
 * Return a copy with lengths and checksums set right again, for a packet that was edited by hand:
 * of IP and, unless it is a fragment, of TCP, UDP, ICMP and ICMPv6. Other bytes stay as they are.
 */
export function repaired(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  const version = (copy[0] ?? 0) >> 4;
  if (version === 4 && copy.length >= 20) {
    const header = ((copy[0] ?? 0) & 0xf) * 4;
    if (header < 20 || header > copy.length) return copy;
    put16(copy, 2, "length", copy.length);
    set16(copy, 10, 0);
    set16(copy, 10, checksum(copy, 0, header));
  } else if (version === 6 && copy.length >= 40) {
    put16(copy, 4, "length", copy.length - 40);
  }
  const headers = new Headers();
  headers.read(copy, 0, copy.length, copy.length, false);
  if (headers.upper >= 0 && !headers.fragment && headers.ip === 0)
    sign(copy, headers.protocol, headers.upper);
  return copy;
}

function overIp(envelope: Envelope, protocol: number, message: Uint8Array): Uint8Array {
  const { source, destination, ttl = 64 } = envelope;
  if (source.length !== destination.length) {
    throw new RangeError("Source and destination are not of one address family.");
  }
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new RangeError(`A time to live of ${ttl} is not from 0 to 255.`);
  }
  const six = source.length === 16;
  const header = six ? 40 : 20;
  if (header + message.length > MAX_PACKET) {
    throw new RangeError(`${header + message.length} bytes are more than an IP packet can have.`);
  }
  const packet = new Uint8Array(header + message.length);
  packet[0] = six ? 0x60 : 0x45;
  packet[six ? 6 : 9] = protocol;
  packet[six ? 7 : 8] = ttl;
  packet.set(source, six ? 8 : 12);
  packet.set(destination, six ? 24 : 16);
  packet.set(message, header);
  return repaired(packet);
}

/** Write the checksum of the upper layer at `start`, where it is one of ours and whole. */
function sign(packet: Uint8Array, protocol: number, start: number): void {
  const length = packet.length - start;
  const places: Readonly<Record<number, readonly [at: number, least: number]>> = {
    [ICMP]: [2, 8],
    [TCP]: [16, 20],
    [UDP]: [6, 8],
    [ICMPV6]: [2, 8],
  };
  const place = places[protocol];
  if (place === undefined || length < place[1]) return;
  if (protocol === UDP) set16(packet, start + 4, length);
  const at = start + place[0];
  set16(packet, at, 0);
  const initial = protocol === ICMP ? 0 : pseudoHeaderSum(packet, protocol, length);
  const value = checksum(packet, start, packet.length, initial);
  // RFC 768: 0 says that there is no checksum.
  set16(packet, at, protocol === UDP && value === 0 ? 0xffff : value);
}

function put16(bytes: Uint8Array, at: number, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new RangeError(`The ${what} must be 0-65535.`);
  }
  set16(bytes, at, value);
}

function put32(bytes: Uint8Array, at: number, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError(`The ${what} must be 0-4294967295.`);
  }
  set16(bytes, at, value >>> 16);
  set16(bytes, at + 2, value & 0xffff);
}

function set16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

/**
 * Where the headers of a packet lie, and nothing more: what a filter or a statistic asks of tens
 * of thousands of packets. One `Headers` is used again for every packet, nothing is allocated.
 * It says the same as `decode` and as wintun_api/packet/decode.py: in a tunnel the innermost packet
 * counts.
 */

import { u8, u16 } from "./bytes";
import { MAX_HEADERS } from "./dissection";

const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** From this number on: mobility, HIP and Shim6, which may also be all that a packet is for. */
export const STANDING = 135;

/** Say whether this is an extension header that another can follow. */
export function isExtension(protocol: number): boolean {
  switch (protocol) {
    case 0:
    case 43:
    case FRAGMENT:
    case AUTHENTICATION:
    case 60:
    case STANDING:
    case 139:
    case 140:
      return true;
  }
  return false;
}

/** Return the bytes of an extension header with this number in its length field. */
export function extensionSize(protocol: number, length: number): number {
  if (protocol === FRAGMENT) return 8;
  return protocol === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
}

/** Options of IPv4 that name the routers on the way: the last address is where it goes. */
const SOURCE_ROUTES = [131, 137];

/**
 * Return where the address of the destination stands: with a source route that has not come to its
 * end (RFC 791) behind the routers that are still ahead, else in the header at `start`.
 */
export function goal4(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 20; at + 3 <= end; ) {
    const type = u8(bytes, at);
    const size = type < 2 ? 1 : u8(bytes, at + 1);
    if (type === 0 || size === 0 || at + size > end) break;
    if (SOURCE_ROUTES.includes(type) && size >= 7) {
      const next = u8(bytes, at + 2);
      if (next >= 4 && next + 3 <= size) return at + size - 4 - ((size - 3) % 4);
    }
    at += size;
  }
  return start + 16;
}

/** Return where the last address of a routing header at `at` is, -1 when it does not count. */
export function goal6(bytes: Uint8Array, at: number, end: number): number {
  const type = u8(bytes, at + 2);
  const left = u8(bytes, at + 3);
  const size = extensionSize(ROUTING, u8(bytes, at + 1));
  if (left === 0 || size < 24 || at + size > end) return -1;
  // Segment routing (RFC 8754) begins with the last one.
  if (type === 4) return at + 8;
  return type === 0 || type === 2 ? at + size - 16 : -1;
}

export class Headers {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  /** Behind the last captured byte. */
  end = 0;
  originalLength = 0;
  injected = false;
  /** Whether it is known which way the packet went. */
  hasDirection = true;
  /** 4 or 6; 0 for bytes that are no whole IP header. */
  outer = 0;
  /** The same of the innermost IP header, and where that begins. */
  version = 0;
  ip = 0;
  /** Where the address of its destination stands, which may be in a route (RFC 791, RFC 8200). */
  goal = 0;
  /** IANA number behind extension headers; -1 without a header. */
  protocol = -1;
  /** Where the upper layer begins; -1 in a later fragment, or where bytes are missing. */
  upper = -1;
  /** Behind the last byte of the upper layer that is there. */
  stop = 0;
  fragment = false;
  /** Of TCP, UDP, SCTP and the like; -1 elsewhere. */
  sourcePort = -1;
  destinationPort = -1;
  /** As `decode` has it; other packets tell, so whoever knows them sets it. */
  begins = 0;
  /** Headers that may still follow. */
  private left = 0;

  /** Look at the packet from `start` to `end` of `bytes`. */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    originalLength: number,
    injected: boolean,
    hasDirection = true,
  ): void {
    this.bytes = bytes;
    this.start = this.ip = start;
    this.end = this.stop = end;
    this.originalLength = originalLength;
    this.injected = injected;
    this.hasDirection = hasDirection;
    this.outer = this.version = 0;
    this.protocol = this.upper = this.sourcePort = this.destinationPort = -1;
    this.fragment = false;
    this.begins = 0;
    this.left = MAX_HEADERS;
    let at = start;
    while (at >= 0 && this.readIp(at)) {
      this.outer ||= this.version;
      at = this.protocol === 4 || this.protocol === 41 ? this.upper : -1;
    }
    const { protocol, upper } = this;
    if (upper < 0 || upper >= this.stop) {
      this.upper = -1;
      return;
    }
    const hasPorts =
      protocol === 6 || protocol === 17 || protocol === 132 || protocol === 33 || protocol === 136;
    if (hasPorts && upper + 4 <= this.stop) {
      this.sourcePort = u16(bytes, upper);
      this.destinationPort = u16(bytes, upper + 2);
    }
  }

  /** Read an IP header, unless what is there is none. */
  private readIp(at: number): boolean {
    const version = u8(this.bytes, at) >> 4;
    const six = version === 6;
    if (--this.left < 0 || (!six && version !== 4) || at + (six ? 40 : 20) > this.stop)
      return false;
    this.version = version;
    this.ip = at;
    this.goal = at + (six ? 24 : 16);
    this.upper = -1;
    if (six) this.readIpv6(at);
    else this.readIpv4(at);
    return true;
  }

  private readIpv4(start: number): void {
    const { bytes } = this;
    this.protocol = u8(bytes, start + 9);
    const word = u16(bytes, start + 6);
    this.fragment ||= (word & 0x3fff) !== 0;
    const header = (u8(bytes, start) & 0xf) * 4;
    const total = u16(bytes, start + 2);
    if (total !== 0) this.stop = Math.min(this.stop, start + total);
    if (header > 20 && start + header <= this.stop) this.goal = goal4(bytes, start, start + header);
    if (header < 20 || start + header > this.stop || (word & 0x1fff) !== 0) return;
    this.upper = start + header;
    if (this.protocol === AUTHENTICATION) this.follow();
  }

  private readIpv6(start: number): void {
    const { bytes } = this;
    this.protocol = u8(bytes, start + 6);
    const length = u16(bytes, start + 4);
    if (length !== 0) this.stop = Math.min(this.stop, start + 40 + length);
    this.upper = start + 40;
    this.follow();
  }

  /** Go on behind the extension headers that begin at `upper`. */
  private follow(): void {
    const { bytes, stop } = this;
    let { protocol, upper: at } = this;
    this.upper = -1;
    for (; isExtension(protocol); protocol = this.protocol) {
      if (--this.left < 0 || at + 8 > stop) return;
      const following = u8(bytes, at);
      if (following === 59 && protocol >= STANDING) break;
      this.protocol = following;
      if (protocol === FRAGMENT) {
        const word = u16(bytes, at + 2);
        this.fragment ||= (word & 0xfff9) !== 0;
        if ((word & 0xfff8) !== 0) return;
      }
      if (protocol === ROUTING) {
        const goal = goal6(bytes, at, stop);
        if (goal >= 0) this.goal = goal;
      }
      at += extensionSize(protocol, u8(bytes, at + 1));
    }
    this.upper = at;
  }
}

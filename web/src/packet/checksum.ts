/** The internet checksum (RFC 1071) and the pseudo-headers it covers. */

import { u8, u16 } from "./bytes";

/** Return the ones' complement sum of 16-bit words, folded; an odd byte counts as padded. */
export function sum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let total = initial;
  let at = start;
  for (; at + 1 < end; at += 2) total += u16(bytes, at);
  if (at < end) total += u8(bytes, at) << 8;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

/** Return the checksum to store, or 0 over bytes that carry their right one. */
export function checksum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  return ~sum(bytes, start, end, initial) & 0xffff;
}

/**
 * Return the sum of an upper layer's pseudo-header (RFC 793, RFC 8200 section 8.1).
 * The packet starts at 0; `length` is that of the upper layer and its data.
 */
export function pseudoHeaderSum(packet: Uint8Array, protocol: number, length: number): number {
  const [start, end] = u8(packet, 0) >> 4 === 4 ? [12, 20] : [8, 40];
  return sum(packet, start, end, protocol + (length & 0xffff) + (length >>> 16));
}

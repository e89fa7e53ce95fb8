/** IP addresses between bytes and text (RFC 4291, RFC 5952). */

import { u8, u16 } from "./bytes";

export interface Prefix {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Bits that count. */
  readonly length: number;
}

export function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${u8(bytes, at)}.${u8(bytes, at + 1)}.${u8(bytes, at + 2)}.${u8(bytes, at + 3)}`;
}

/** Return the text of RFC 5952: lower case, the longest run of zeros as `::`. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  let best = -1;
  let bestLength = 1;
  let zeros = 0;
  for (let group = 0; group < 8; group++) {
    zeros = u16(bytes, at + 2 * group) === 0 ? zeros + 1 : 0;
    if (zeros > bestLength) {
      bestLength = zeros;
      best = group - zeros + 1;
    }
  }
  if (best === 0 && bestLength === 5 && u16(bytes, at + 10) === 0xffff) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  }
  // RFC 4291, section 2.5.5.1; what looks so but is small is a plain number, as ::1 is.
  if (best === 0 && bestLength === 6) return `::${ipv4Text(bytes, at + 12)}`;
  let text = "";
  for (let group = 0; group < 8; group++) {
    if (group === best) {
      text += "::";
      group += bestLength - 1;
      continue;
    }
    if (text !== "" && !text.endsWith(":")) text += ":";
    text += u16(bytes, at + 2 * group).toString(16);
  }
  return text;
}

/** Return the 4 or 16 bytes of an address, null when the text is none. */
export function parseAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Return a prefix such as `10.6.7.0/24`; an address alone has all its bits. */
export function parsePrefix(text: string): Prefix | null {
  const [address, bits, ...rest] = text.split("/");
  const parsed = parseAddress(address ?? "");
  if (parsed === null || rest.length > 0) return null;
  const most = parsed.length * 8;
  if (bits === undefined) return { address: parsed, length: most };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return null;
  return { address: parsed, length: Number(bits) };
}

/** Say whether the address at `at` is in the prefix; the caller knows it is of the same family. */
export function inPrefix(bytes: Uint8Array, at: number, prefix: Prefix): boolean {
  const whole = prefix.length >> 3;
  for (let i = 0; i < whole; i++) {
    if (bytes[at + i] !== prefix.address[i]) return false;
  }
  const rest = prefix.length & 7;
  return rest === 0 || (u8(bytes, at + whole) ^ u8(prefix.address, whole)) >> (8 - rest) === 0;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const address = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    // A leading zero would be octal to some.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    address[index] = Number(part);
  }
  return address;
}

function parseIpv6(text: string): Uint8Array | null {
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".")) {
    const tail = parseIpv4(text.slice(lastColon + 1));
    if (tail === null) return null;
    const groups = `${u16(tail, 0).toString(16)}:${u16(tail, 2).toString(16)}`;
    return parseIpv6(text.slice(0, lastColon + 1) + groups);
  }
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const groupsOf = (half: string | undefined): string[] => (half ? half.split(":") : []);
  const head = groupsOf(halves[0]);
  const tail = groupsOf(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  const address = new Uint8Array(16);
  for (const [index, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    const value = Number.parseInt(group, 16);
    address[2 * index] = value >> 8;
    address[2 * index + 1] = value & 0xff;
  }
  return address;
}

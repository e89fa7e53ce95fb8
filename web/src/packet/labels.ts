/** Domain names as they lie in a message (RFC 1035, section 4.1.4). */

import { u8, u16, utf8 } from "./bytes";

/** What Wireshark has in the place of such a name, too. */
const LOOP = "Name contains a pointer that loops";
const MAX_NAME = 255; // RFC 1035, section 2.3.4

export interface DomainName {
  /** Without the last dot: "" is the root. */
  readonly text: string;
  /** Behind it. */
  readonly end: number;
  readonly labels: number;
  /** Of its text, in bytes. */
  readonly size: number;
  /** What is wrong with it; "" when nothing is. */
  readonly trouble: string;
}

/**
 * Read a name between `start` and `end` of a message that begins at `message`. Pointers only lead
 * backwards, so that every byte is read once. A name that goes wrong ends with "…"
 * or says what is wrong.
 */
export function readName(
  bytes: Uint8Array,
  message: number,
  start: number,
  end: number,
): DomainName {
  const labels: string[] = [];
  let at = start;
  let stop = -1;
  let lowest = start;
  let size = 0;
  let trouble = "";
  for (;;) {
    const length = u8(bytes, at);
    if (at >= end) trouble = "a name does not end";
    else if (length === 0) {
      if (stop < 0) stop = at + 1;
      break;
    } else if (length >= 0xc0) {
      if (stop < 0) stop = at + 2;
      const target = message + (u16(bytes, at) & 0x3fff);
      if (at + 2 > end) trouble = "a name does not end";
      else if (target < lowest) {
        at = lowest = target;
        continue;
      } else {
        trouble = target > start ? "a name leads forward" : LOOP;
      }
    } else {
      size += length + 1;
      if (length > 63) trouble = "a label is of an unknown kind";
      else if (size > MAX_NAME) trouble = "a name is longer than 255 bytes";
      else if (at + 1 + length > end) trouble = "a label goes beyond the end";
      else {
        labels.push(utf8(bytes, at + 1, at + 1 + length));
        at += 1 + length;
        continue;
      }
    }
    labels.push("…");
    break;
  }
  return {
    text: trouble === LOOP ? `<${LOOP}>` : labels.join("."),
    end: Math.min(stop < 0 ? end : stop, end),
    labels: labels.length,
    size: trouble === LOOP ? LOOP.length + 2 : size - 1,
    trouble,
  };
}

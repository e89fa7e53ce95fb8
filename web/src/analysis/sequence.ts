/**
 * What Wireshark's analysis of TCP sequence numbers says of a segment (User's Guide, section 7.5).
 *
 * Sequence numbers are signed 32-bit here, and their difference says which comes first.
 */

import { u32 } from "../packet/bytes";
import type { Flow, Side } from "./flow";
import { UNKNOWN } from "./flow";
import * as mark from "./marks";
import type { Rows } from "./rows";
import type { Segments } from "./segments";

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

/** Nanoseconds: a repeated segment so soon after the last duplicate acknowledgement is a fast one. */
const FAST_WITHIN = 20_000_000;
/** The same for segments out of order, where no round trip was measured. */
const ORDER_WITHIN = 3_000_000;
/** What a window scale of "none" is. */
const NONE = -2;

/** The segment that is looked at, used again for every packet. */
export class Segment {
  sequence = 0;
  acknowledgement = 0;
  flags = 0;
  window = 0;
  /** Bytes of data that were sent. */
  length = 0;
}

export function analyse(
  rows: Rows,
  segments: Segments,
  row: number,
  flow: Flow,
  from: Side,
  to: Side,
  segment: Segment,
): number {
  const { sequence, acknowledgement, flags, window, length } = segment;
  const slot = rows.slot(row);
  const time = rows.times[slot] ?? 0;
  const isAgain = acknowledgement === from.acknowledged;
  let found = windowMarks(rows, row, from, to, segment, isAgain);
  if (!isAgain) {
    from.advancedRow = row;
    from.duplicates = 0;
  }

  if ((flags & ACK) !== 0 && to.hasWhole && ((acknowledgement - to.whole) | 0) > 0) {
    if (from.window === 0 && (to.marks & mark.ZERO_WINDOW_PROBE) !== 0) {
      to.next = to.whole = acknowledgement;
    } else {
      found |= mark.ACK_LOST_SEGMENT;
      to.whole = acknowledgement;
    }
  }

  const isNumbered = length > 0 || (flags & (SYN | FIN)) !== 0;
  const next = (sequence + length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) | 0;
  if (isNumbered) {
    if ((found & mark.KEEP_ALIVE) === 0) {
      const repeated = repetition(flow, from, to, segment, next, time);
      found |= repeated;
      if (repeated === mark.RETRANSMISSION) {
        const first = segments.oldest(from);
        rows.resentFrom[slot] = row - (first < 0 ? from.nextRow : first);
      }
    }
    segments.add(from, sequence, next, row);
  }
  if ((found & mark.ZERO_WINDOW_PROBE) === 0) {
    if (!from.hasNext || ((next - from.next) | 0) > 0) {
      from.next = next;
      from.hasNext = true;
      from.nextRow = row;
      from.nextTime = time;
    }
    if (!from.hasWhole || sequence === from.whole) {
      from.whole = from.next;
      from.hasWhole = true;
    }
  }
  from.window = window;
  from.acknowledged = acknowledgement;
  from.acknowledgedTime = time;
  from.marks = found;

  const ended = segments.acknowledge(to, acknowledgement);
  if (ended >= 0) rows.acknowledged[slot] = row - ended;
  if ((flags & ACK) !== 0) to.canCountFlight = true;
  if (length > 0) {
    if (from.canCountFlight) {
      let flight = segments.flight(from);
      for (let i = 0; i < to.selectedCount; i += 2) {
        flight -= ((to.selected[i + 1] ?? 0) - (to.selected[i] ?? 0)) | 0;
      }
      // FIN takes a number, but is no byte.
      if ((flags & FIN) !== 0) flight--;
      from.pushed = from.isPushed ? length : from.pushed + length;
      from.isPushed = (flags & PSH) !== 0;
      rows.pushed[slot] = from.pushed;
      if (flight > 0) rows.flight[slot] = flight;
    }
  }
  return found;
}

/** Say what a segment tells by its place and its window. */
function windowMarks(
  rows: Rows,
  row: number,
  from: Side,
  to: Side,
  { sequence, acknowledgement, flags, window, length }: Segment,
  isAgain: boolean,
): number {
  const isPlain = (flags & (SYN | FIN | RST)) === 0;
  const isNext = from.hasNext && sequence === from.next;
  if (length === 1 && isNext && to.window === 0) return mark.ZERO_WINDOW_PROBE;
  let found = window === 0 && isPlain ? mark.ZERO_WINDOW : 0;
  if (from.hasNext && ((sequence - from.next) | 0) > 0 && (flags & RST) === 0) {
    found |= mark.LOST_SEGMENT;
    from.canCountFlight = false;
  }
  if (length <= 1 && from.hasNext && ((sequence + 1) | 0) === from.next && isPlain) {
    found |= mark.KEEP_ALIVE;
  }
  if (length > 0) {
    const shift = to.isFirstWindow || to.scale === NONE ? 0 : to.scale;
    const edge = (to.acknowledged + (to.window << shift)) | 0;
    const isFull = ((sequence + length) | 0) === edge;
    return to.scale !== UNKNOWN && isPlain && isFull ? found | mark.WINDOW_FULL : found;
  }
  if (!isPlain || !isNext) return found;
  if (window === 0) {
    const isTaken = acknowledgement === ((from.acknowledged + 1) | 0);
    if (from.window === 0 && (to.marks & mark.ZERO_WINDOW_PROBE) !== 0 && (isAgain || isTaken)) {
      found |= mark.ZERO_WINDOW_PROBE_ACK;
      // The receiver took the byte of the probe after all.
      if (isTaken) to.next = to.whole = acknowledgement;
    }
    return found;
  }
  if (!isAgain) return found;
  if (window !== from.window) return found | mark.WINDOW_UPDATE;
  if ((to.marks & mark.KEEP_ALIVE) !== 0) return found | mark.KEEP_ALIVE_ACK;
  from.duplicates++;
  rows.duplicates[rows.slot(row)] = from.duplicates;
  rows.duplicateOf[rows.slot(row)] = row - from.advancedRow;
  return found | mark.DUPLICATE_ACK;
}

/** Say what kind of repetition a segment up to `next` is; 0 for none. */
function repetition(
  flow: Flow,
  from: Side,
  to: Side,
  { sequence, length }: Segment,
  next: number,
  time: number,
): number {
  let isOld = from.hasNext && ((sequence - from.next) | 0) < 0;
  // What may be the rest behind the byte of a zero window probe is new.
  if (length > 1 && ((sequence + 1) | 0) === from.next) isOld = false;
  const isKnown = to.acknowledged !== 0 && ((sequence + length - to.acknowledged) | 0) <= 0;
  if (length > 0 && isKnown) return mark.SPURIOUS;
  if (!isOld) return 0;
  const isAsked = to.duplicates >= 2 && to.acknowledged === sequence;
  if (isAsked && time - to.acknowledgedTime < FAST_WITHIN) return mark.FAST;
  const within = Number.isNaN(flow.initialRtt) ? ORDER_WITHIN : flow.initialRtt;
  if (time - from.nextTime < within && from.next !== next) return mark.OUT_OF_ORDER;
  return mark.RETRANSMISSION;
}

/** Read what the options of a segment say of its sender. */
export function readOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  side: Side,
  isSyn: boolean,
): void {
  side.selectedCount = 0;
  if (isSyn) side.scale = NONE;
  for (let at = start; at < end; ) {
    const kind = bytes[at] ?? 0;
    if (kind === 0) return;
    if (kind === 1) {
      at++;
      continue;
    }
    const size = bytes[at + 1] ?? 0;
    if (size < 2 || at + size > end) return;
    if (kind === 3 && size === 3 && isSyn) side.scale = Math.min(bytes[at + 2] ?? 0, 14);
    else if (kind === 5) {
      for (let edge = at + 2; edge + 8 <= at + size && side.selectedCount < 8; edge += 8) {
        side.selected[side.selectedCount++] = u32(bytes, edge);
        side.selected[side.selectedCount++] = u32(bytes, edge + 4);
      }
    }
    at += size;
  }
}

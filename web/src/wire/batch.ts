/**
 * The batch frame `WTB1` of `v1.batch.wintun-api`, little-endian; the mirror of wintun_api/wire.py.
 *
 * offset  type        field
 * 0       u32         magic, the ASCII bytes "WTB1"
 * 4       u16         header length, 32; a reader skips to it, so the header can grow
 * 6       u16         flags: 1 original lengths follow, 2 sequence deltas follow, 4 injected,
 *                     8 times follow
 * 8       u32         count of packets
 * 12      u32         payload bytes
 * 16      u64         sequence number of the first packet, per session and direction
 * 24      u64         time of the burst, nanoseconds since 1970
 * 32      u16[count]  captured lengths; then original lengths (flag 1); then deltas (flag 2)
 *         u32[count]  times, nanoseconds after the burst's (flag 8)
 *         bytes       the packets, concatenated, no padding
 */

const MAGIC = 0x31425457; // "WTB1"
export const HEADER_LENGTH = 32;
const ORIGINAL_LENGTHS = 1;
const SEQUENCE_DELTAS = 2;
const INJECTED = 4;
const TIMES = 8;
const KNOWN_FLAGS = ORIGINAL_LENGTHS | SEQUENCE_DELTAS | INJECTED | TIMES;

export const BATCH_PROTOCOL = "v1.batch.wintun-api";
export const MAX_PACKET = 0xffff;

export type FrameFault =
  | "empty"
  | "truncated_header"
  | "bad_magic"
  | "bad_header_length"
  | "unknown_flags"
  | "truncated"
  | "bad_lengths";

/** A message that is not a sequence of batches; no part of it counts. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  constructor(readonly reason: FrameFault) {
    super(`The message is not a sequence of batches: ${reason}.`);
  }
}

/**
 * One batch, as columns over the message it came in. Nothing in it is per packet but `starts`.
 *
 * The packets lie in `bytes` one behind the other: packet i from `starts[i]` to `starts[i + 1]`.
 */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly injected: boolean;
  /** Whether nothing tells the direction, as in a file of another program. */
  readonly isUnknown?: boolean;
  /** Exact up to 2^53, a quarter of a million years of full load. */
  readonly sequence: number;
  readonly timeNs: bigint;
  readonly starts: Uint32Array;
  /** Lengths before the snap length cut them; null where nothing was cut. */
  readonly originalLengths: Uint16Array | null;
  /** Step to the previous packet, the first one 0; null where without gaps. */
  readonly sequenceDeltas: Uint16Array | null;
  /** Nanoseconds after `timeNs` at which each packet was read; null where it is that of all. */
  readonly times: Uint32Array | null;
}

/** Return the batches of one message; the packets stay where they are. Throws FrameError. */
export function unpack(message: ArrayBuffer): Batch[] {
  const bytes = new Uint8Array(message);
  const view = new DataView(message);
  const end = message.byteLength;
  if (end === 0) throw new FrameError("empty");
  const batches: Batch[] = [];
  for (let offset = 0; offset < end; ) {
    if (end - offset < HEADER_LENGTH) throw new FrameError("truncated_header");
    if (view.getUint32(offset, true) !== MAGIC) throw new FrameError("bad_magic");
    const headerLength = view.getUint16(offset + 4, true);
    if (headerLength < HEADER_LENGTH) throw new FrameError("bad_header_length");
    const flags = view.getUint16(offset + 6, true);
    if (flags & ~KNOWN_FLAGS) throw new FrameError("unknown_flags");
    const count = view.getUint32(offset + 8, true);
    const payload = view.getUint32(offset + 12, true);
    const hasOriginals = (flags & ORIGINAL_LENGTHS) !== 0;
    const hasDeltas = (flags & SEQUENCE_DELTAS) !== 0;
    const hasTimes = (flags & TIMES) !== 0;
    const table = offset + headerLength;
    const times = table + 2 * count * (1 + Number(hasOriginals) + Number(hasDeltas));
    const body = times + (hasTimes ? 4 * count : 0);
    const next = body + payload;
    if (next > end) throw new FrameError("truncated");
    const starts = new Uint32Array(count + 1);
    let at = body;
    for (let i = 0; i < count; i++) {
      starts[i] = at;
      at += view.getUint16(table + 2 * i, true);
    }
    starts[count] = at;
    if (at !== next) throw new FrameError("bad_lengths");
    batches.push({
      bytes,
      count,
      injected: (flags & INJECTED) !== 0,
      sequence: Number(view.getBigUint64(offset + 16, true)),
      timeNs: view.getBigUint64(offset + 24, true),
      starts,
      originalLengths: hasOriginals ? column(view, table + 2 * count, count) : null,
      sequenceDeltas: hasDeltas
        ? column(view, table + 2 * count * (1 + Number(hasOriginals)), count)
        : null,
      times: hasTimes ? timesOf(view, times, count) : null,
    });
    offset = next;
  }
  return batches;
}

/** Return one batch that carries the packets, for injection. Throws RangeError for a long packet. */
export function pack(packets: readonly Uint8Array[]): ArrayBuffer {
  const payload = packets.reduce((sum, packet) => sum + packet.length, 0);
  const body = HEADER_LENGTH + 2 * packets.length;
  const message = new ArrayBuffer(body + payload);
  const view = new DataView(message);
  const bytes = new Uint8Array(message);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, HEADER_LENGTH, true);
  view.setUint32(8, packets.length, true);
  view.setUint32(12, payload, true);
  let at = body;
  packets.forEach((packet, index) => {
    if (packet.length > MAX_PACKET) {
      throw new RangeError(`${packet.length} bytes are more than an IP packet can have.`);
    }
    view.setUint16(HEADER_LENGTH + 2 * index, packet.length, true);
    bytes.set(packet, at);
    at += packet.length;
  });
  return message;
}

function column(view: DataView, start: number, count: number): Uint16Array {
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(start + 2 * i, true);
  return values;
}

function timesOf(view: DataView, start: number, count: number): Uint32Array {
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint32(start + 4 * i, true);
  return values;
}

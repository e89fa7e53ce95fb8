/** The batch frame of `v1.batch.wintun-api`: many packets in one binary message, little-endian. */

const MAGIC = 0x31425457; // "WTB1"
const HEADER = 32;
const ORIGINAL_LENGTHS = 1, SEQUENCE_DELTAS = 2, INJECTED = 4;

export interface Batch {
  packets: Buffer[];
  sequence?: bigint;
  timeNs?: bigint;
  injected?: boolean;
  originalLengths?: number[];
  sequenceDeltas?: number[];
}

/** A message that is no batch frame; `reason` is one of wire-vectors.json. */
export class FrameError extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

export function pack(batch: Batch): Buffer {
  const lengths = batch.packets.map((packet) => packet.length);
  const columns = [...lengths, ...(batch.originalLengths ?? []), ...(batch.sequenceDeltas ?? [])];
  const head = Buffer.alloc(HEADER + 2 * columns.length);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt16LE(HEADER, 4);
  head.writeUInt16LE(
    (batch.originalLengths ? ORIGINAL_LENGTHS : 0)
      | (batch.sequenceDeltas ? SEQUENCE_DELTAS : 0)
      | (batch.injected ? INJECTED : 0),
    6,
  );
  head.writeUInt32LE(lengths.length, 8);
  head.writeUInt32LE(lengths.reduce((sum, length) => sum + length, 0), 12);
  head.writeBigUInt64LE(batch.sequence ?? 0n, 16);
  head.writeBigUInt64LE(batch.timeNs ?? 0n, 24);
  columns.forEach((value, index) => head.writeUInt16LE(value, HEADER + 2 * index));
  return Buffer.concat([head, ...batch.packets]);
}

/** Return the batches of one message. Throws a FrameError; no part of the message counts then. */
export function unpack(message: Buffer): Batch[] {
  if (message.length === 0) throw new FrameError("empty");
  const batches: Batch[] = [];
  for (let offset = 0; offset < message.length;) {
    if (message.length - offset < HEADER) throw new FrameError("truncated_header");
    if (message.readUInt32LE(offset) !== MAGIC) throw new FrameError("bad_magic");
    const headerLength = message.readUInt16LE(offset + 4);
    if (headerLength < HEADER) throw new FrameError("bad_header_length");
    const flags = message.readUInt16LE(offset + 6);
    if (flags & ~(ORIGINAL_LENGTHS | SEQUENCE_DELTAS | INJECTED)) throw new FrameError("unknown_flags");
    const count = message.readUInt32LE(offset + 8);
    const payload = message.readUInt32LE(offset + 12);
    const columns = 1 + (flags & ORIGINAL_LENGTHS ? 1 : 0) + (flags & SEQUENCE_DELTAS ? 1 : 0);
    const table = offset + headerLength;
    let start = table + 2 * count * columns;
    const end = start + payload;
    if (end > message.length) throw new FrameError("truncated");
    const column = (number: number): number[] =>
      Array.from({ length: count }, (_, index) => message.readUInt16LE(table + 2 * (number * count + index)));
    const lengths = column(0);
    if (lengths.reduce((sum, length) => sum + length, 0) !== payload) throw new FrameError("bad_lengths");
    batches.push({
      packets: lengths.map((length) => message.subarray(start, (start += length))),
      sequence: message.readBigUInt64LE(offset + 16),
      timeNs: message.readBigUInt64LE(offset + 24),
      injected: (flags & INJECTED) !== 0,
      originalLengths: flags & ORIGINAL_LENGTHS ? column(1) : undefined,
      sequenceDeltas: flags & SEQUENCE_DELTAS ? column(columns - 1) : undefined,
    });
    offset = end;
  }
  return batches;
}

/**
 * The newest packets of a session, in a ring bounded in packets and in bytes.
 *
 * Columns, not objects: the bytes stay in the message they came in, and nothing is allocated per
 * packet. A row has a number that counts up for ever; a loss is a row too.
 */

import type { Headers } from "../packet/headers";
import type { Batch } from "../wire/batch";
import type { CapturedPacket } from "../wire/pcapng";

/** What a row is. */
export const RECEIVED = 0;
export const INJECTED = 1;
export const LOSS = 2;
/** A packet of a file that does not tell its direction. */
export const UNKNOWN = 3;

/** Packets that are missing between two rows. Sequence numbers count per direction. */
export interface Loss {
  /** One of the service's causes, or `disconnected` or `paused`. */
  readonly cause: string;
  readonly injected: boolean;
  readonly count: number;
  /** Null for packets that were lost before they had a number. */
  readonly first: number | null;
  readonly last: number | null;
}

export interface Bounds {
  readonly packets: number;
  /** Of the messages that are kept, a little more than the packets in them. */
  readonly bytes: number;
}

export const DEFAULT_BOUNDS: Bounds = { packets: 50_000, bytes: 64 * 1024 * 1024 };

/** What a ring is given: packets, or what is missing before the next ones. */
export type Item = Batch | { readonly loss: Loss; readonly timeNs: bigint };

const EMPTY = new Uint8Array();
/** The longest step of a batch's sequence numbers. */
const MAX_STEP = 0xffff;

export class PacketRing {
  /** The row that has the number 1 in the table. */
  base: number;
  /** When the first packet since `base` came. */
  originNs = 0n;
  /** Number of the oldest row that is kept. */
  first = 0;
  /** Number of the next row. */
  end = 0;
  /** Bytes of the messages that are kept. */
  bytes = 0;
  /** Packets that made room for newer ones, since the ring was cleared. */
  evicted = 0;
  /** The bound that the last of them went for. */
  evictedBy: keyof Bounds = "packets";
  /** What rows without bytes are, by their number: packets of a file that are not IP. */
  readonly foreign = new Map<number, string>();
  /** Whether every packet tells its direction. */
  hasDirections = true;
  /** What stays the same in a ring with other bounds. */
  readonly identity: object = {};
  /** While set nothing is evicted: what finds no room is a loss by pausing. */
  hold = false;

  private readonly messages: Uint8Array[];
  private readonly starts: Uint32Array;
  private readonly lengths: Uint16Array;
  private readonly originals: Uint16Array;
  private readonly kinds: Uint8Array;
  private readonly times: BigUint64Array;
  /** Nanoseconds after these times. */
  private readonly offsets: Uint32Array;
  private readonly sequences: Float64Array;
  private readonly losses = new Map<number, Loss>();
  private readonly skipped: (Loss | null)[] = [null, null];

  /** `row` is the number of the first row. */
  constructor(
    readonly bounds: Bounds = DEFAULT_BOUNDS,
    row = 0,
  ) {
    const { packets } = bounds;
    this.base = row;
    this.first = this.end = row;
    this.messages = new Array<Uint8Array>(packets).fill(EMPTY);
    this.starts = new Uint32Array(packets);
    this.lengths = new Uint16Array(packets);
    this.originals = new Uint16Array(packets);
    this.kinds = new Uint8Array(packets);
    this.times = new BigUint64Array(packets);
    this.offsets = new Uint32Array(packets);
    this.sequences = new Float64Array(packets);
  }

  /** Rows that are kept. */
  get count(): number {
    return this.end - this.first;
  }

  /** Packets that are kept: the rows without those of losses. */
  get packets(): number {
    return this.count - this.losses.size;
  }

  /** The rows that are no packets, in order. */
  get lossRows(): Iterable<number> {
    return this.losses.keys();
  }

  has(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  /** Append what there is room for; return what another ring must take to have the same rows. */
  take(item: Item): readonly Item[] {
    if (!("loss" in item)) return this.append(item);
    const { end } = this;
    this.appendLoss(item.loss, item.timeNs);
    return this.end > end ? [item] : [];
  }

  /** Append the packets of a batch, the oldest rows going where there is no room; as `take`. */
  append(batch: Batch): readonly Item[] {
    const { bytes, count, starts, originalLengths, sequenceDeltas, timeNs, times } = batch;
    const kind = batch.isUnknown ? UNKNOWN : batch.injected ? INJECTED : RECEIVED;
    if (batch.isUnknown) this.hasDirections = false;
    const size = this.bounds.packets;
    let sequence = batch.sequence;
    if (this.hold && !this.fits(count, bytes)) {
      this.skip(batch);
      return [];
    }
    const losses = this.addSkipped(timeNs);
    if (this.end === this.base) this.originNs = timeNs + BigInt(times?.[0] ?? 0);
    for (let i = 0; i < count; i++) {
      const start = starts[i] ?? 0;
      const length = (starts[i + 1] ?? 0) - start;
      if (sequenceDeltas !== null) sequence += sequenceDeltas[i] ?? 0;
      if (this.end - this.first >= size) this.evict();
      this.account(bytes);
      const slot = this.end % size;
      this.messages[slot] = bytes;
      this.starts[slot] = start;
      this.lengths[slot] = length;
      this.originals[slot] = originalLengths === null ? length : (originalLengths[i] ?? 0);
      this.kinds[slot] = kind;
      this.times[slot] = timeNs;
      this.offsets[slot] = times === null ? 0 : (times[i] ?? 0);
      this.sequences[slot] = sequence;
      this.end++;
      if (sequenceDeltas === null) sequence++;
    }
    while (this.bytes > this.bounds.bytes && this.first < this.end) this.evict("bytes");
    return [...losses, batch];
  }

  /** Append a row that says what is missing before the next packet. */
  appendLoss(loss: Loss, timeNs: bigint): void {
    if (this.hold && this.count >= this.bounds.packets) return;
    if (this.count >= this.bounds.packets) this.evict();
    const slot = this.end % this.bounds.packets;
    this.messages[slot] = EMPTY;
    this.starts[slot] = this.lengths[slot] = this.originals[slot] = 0;
    this.kinds[slot] = LOSS;
    this.times[slot] = timeNs;
    this.offsets[slot] = 0;
    this.sequences[slot] = loss.first ?? 0;
    this.losses.set(this.end, loss);
    this.end++;
  }

  /** Forget every row. Numbers go on. */
  clear(): void {
    this.base = this.first = this.end;
    this.bytes = this.evicted = 0;
    this.messages.fill(EMPTY);
    this.losses.clear();
    this.skipped.fill(null);
  }

  kind(row: number): number {
    return this.kinds[row % this.bounds.packets] ?? LOSS;
  }

  timeNs(row: number): bigint {
    const slot = row % this.bounds.packets;
    return (this.times[slot] ?? 0n) + BigInt(this.offsets[slot] ?? 0);
  }

  /** The packet before that of a row; the row itself when there is none. */
  before(row: number): number {
    let before = row - 1;
    while (before >= this.first && this.kind(before) === LOSS) before--;
    return before < this.first ? row : before;
  }

  sequence(row: number): number {
    return this.sequences[row % this.bounds.packets] ?? 0;
  }

  /** Length of the packet before it was cut. */
  originalLength(row: number): number {
    return this.originals[row % this.bounds.packets] ?? 0;
  }

  /** A view of the packet's bytes; nothing is copied. */
  packet(row: number): Uint8Array {
    const slot = row % this.bounds.packets;
    const start = this.starts[slot] ?? 0;
    return (this.messages[slot] ?? EMPTY).subarray(start, start + (this.lengths[slot] ?? 0));
  }

  loss(row: number): Loss | undefined {
    return this.losses.get(row);
  }

  /** Point `headers` at the packet of a row. */
  read(row: number, headers: Headers): void {
    const slot = row % this.bounds.packets;
    const start = this.starts[slot] ?? 0;
    headers.read(
      this.messages[slot] ?? EMPTY,
      start,
      start + (this.lengths[slot] ?? 0),
      this.originals[slot] ?? 0,
      this.kinds[slot] === INJECTED,
      this.kinds[slot] !== UNKNOWN,
    );
  }

  /** Return what another ring would be given to have the rows from one on, in order. */
  items(from: number): Item[] {
    const items: Item[] = [];
    for (let row = Math.max(from, this.first); row < this.end; ) {
      const loss = this.losses.get(row);
      if (loss !== undefined) {
        items.push({ loss, timeNs: this.timeNs(row) });
        row++;
        continue;
      }
      const stop = this.runOf(row);
      items.push(this.batchOf(row, stop));
      row = stop;
    }
    return items;
  }

  /** Return a ring with other bounds that has the same rows, the newest of them where not all fit. */
  resized(bounds: Bounds): PacketRing {
    const ring = new PacketRing(bounds, this.first);
    const { base, originNs, evicted, evictedBy, hasDirections, identity } = this;
    Object.assign(ring, { base, originNs, evicted, evictedBy, hasDirections, identity });
    for (const item of this.items(this.first)) ring.take(item);
    ring.originNs = originNs;
    ring.hold = this.hold;
    ring.skipped.splice(0, 2, ...this.skipped);
    return ring;
  }

  /** The packet as a capture file has it. */
  captured(row: number): CapturedPacket {
    return {
      bytes: this.packet(row),
      originalLength: this.originalLength(row),
      timeNs: this.timeNs(row),
      injected: this.kind(row) === UNKNOWN ? null : this.kind(row) === INJECTED,
    };
  }

  /** What was not kept while the ring was held. */
  get notKept(): number {
    return (this.skipped[0]?.count ?? 0) + (this.skipped[1]?.count ?? 0);
  }

  /** Return where the packets end that lie behind each other in a message, from a row on. */
  private runOf(row: number): number {
    const { packets } = this.bounds;
    let stop = row + 1;
    for (; stop < this.end; stop++) {
      const before = (stop - 1) % packets;
      const slot = stop % packets;
      const step = (this.sequences[slot] ?? 0) - (this.sequences[before] ?? 0);
      const isNext =
        this.messages[slot] === this.messages[before] &&
        this.kinds[slot] === this.kinds[before] &&
        this.times[slot] === this.times[before] &&
        this.starts[slot] === (this.starts[before] ?? 0) + (this.lengths[before] ?? 0);
      if (!isNext || step < 0 || step > MAX_STEP) break;
    }
    return stop;
  }

  private batchOf(row: number, stop: number): Batch {
    const count = stop - row;
    const slots = Array.from({ length: count }, (_, i) => (row + i) % this.bounds.packets);
    const [slot = 0] = slots;
    const starts = new Uint32Array(count + 1);
    starts.set(slots.map((one) => this.starts[one] ?? 0));
    starts[count] = (starts[count - 1] ?? 0) + (this.lengths[slots[count - 1] ?? 0] ?? 0);
    const sequences = slots.map((one) => this.sequences[one] ?? 0);
    return {
      bytes: this.messages[slot] ?? EMPTY,
      count,
      injected: this.kinds[slot] === INJECTED,
      isUnknown: this.kinds[slot] === UNKNOWN,
      sequence: sequences[0] ?? 0,
      timeNs: this.times[slot] ?? 0n,
      starts,
      originalLengths: Uint16Array.from(slots, (one) => this.originals[one] ?? 0),
      sequenceDeltas: Uint16Array.from(sequences, (one, i) => one - (sequences[i - 1] ?? one)),
      times: Uint32Array.from(slots, (one) => this.offsets[one] ?? 0),
    };
  }

  private fits(count: number, message: Uint8Array): boolean {
    const losses = this.skipped.filter((loss) => loss !== null).length;
    return (
      this.count + losses + count <= this.bounds.packets &&
      this.bytes + message.byteLength <= this.bounds.bytes
    );
  }

  private skip(batch: Batch): void {
    const index = Number(batch.injected);
    const before = this.skipped[index];
    this.skipped[index] = {
      cause: "paused",
      injected: batch.injected,
      count: (before?.count ?? 0) + batch.count,
      first: before?.first ?? batch.sequence,
      last: batch.sequence + batch.count - 1,
    };
  }

  private addSkipped(timeNs: bigint): Item[] {
    const losses: Item[] = [];
    for (const [index, loss] of this.skipped.entries()) {
      if (loss === null) continue;
      this.skipped[index] = null;
      losses.push(...this.take({ loss, timeNs }));
    }
    return losses;
  }

  /** Count the bytes of a message when its first packet comes. */
  private account(message: Uint8Array): void {
    const before = this.messages[(this.end + this.bounds.packets - 1) % this.bounds.packets];
    if (this.count === 0 || before !== message) this.bytes += message.byteLength;
  }

  private evict(bound: keyof Bounds = "packets"): void {
    const { packets } = this.bounds;
    const slot = this.first % packets;
    const message = this.messages[slot] ?? EMPTY;
    if (this.kinds[slot] === LOSS) this.losses.delete(this.first);
    else {
      this.evicted++;
      this.evictedBy = bound;
    }
    this.messages[slot] = EMPTY;
    this.first++;
    const next = this.first < this.end ? this.messages[this.first % packets] : undefined;
    if (next !== message) this.bytes -= message.byteLength;
  }
}

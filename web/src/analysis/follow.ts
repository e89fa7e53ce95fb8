/** Puts a conversation together again from the rows that are kept, in the order of its bytes. */

import { type Chunk, type Followed, type How, MAX_FOLLOWED, type Part } from "./conversation";
import type { Flow } from "./flow";
import { messagesOf } from "./http";
import * as mark from "./marks";
import type { Rows } from "./rows";
import { describe } from "./state";

type Piece = Omit<Chunk, "fromHost" | "parts">;

export function follow(rows: Rows, flow: Flow, how: How, epoch: bigint): Followed {
  const numbers: number[] = [];
  let row = flow.lastRow;
  while (rows.has(row)) {
    numbers.push(row);
    const step = rows.previous[rows.slot(row)] ?? 0;
    if (step === 0) break;
    row -= step;
  }
  numbers.reverse();
  const total = flow.packets.reduce((sum, packets) => sum + packets, 0);
  const pieces =
    flow.sides === null ? datagrams(rows, numbers, epoch) : segments(rows, numbers, epoch);
  const chunks: Chunk[] = [];
  let size = 0;
  let cut = 0;
  let missing = 0;
  let run: Piece[] = [];
  const close = () => {
    const [first] = run;
    const parts = partsOf(run);
    const { row, timeNs } = parts[0] ?? first ?? {};
    if (first !== undefined && row !== undefined && timeNs !== undefined) {
      const fromHost = ((rows.marks[rows.slot(row)] ?? 0) & mark.FROM_HOST) !== 0;
      chunks.push({ ...first, row, timeNs, parts, fromHost, bytes: join(run) });
    }
    run = [];
  };
  for (const piece of pieces) {
    const bytes = piece.bytes.subarray(0, Math.max(0, MAX_FOLLOWED - size));
    cut += piece.bytes.length - bytes.length;
    if (bytes.length === 0 && piece.missing === 0) continue;
    missing += piece.missing;
    size += bytes.length;
    if (flow.sides === null || run[0]?.side !== piece.side || piece.missing > 0) close();
    run.push({ ...piece, bytes });
  }
  close();
  return {
    conversation: describe(flow, epoch),
    how,
    chunks,
    messages: how === "http" ? messagesOf(chunks) : [],
    size,
    cut,
    missing,
    dropped: total - numbers.length,
    fragments: flow.fragments,
    hasData: numbers.some((one) => (rows.lengths[rows.slot(one)] ?? 0) > 0),
  };
}

function partsOf(pieces: readonly Piece[]): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const { row, timeNs, bytes } of pieces) {
    // A gap has no bytes; it is that of a packet where nothing came after it.
    if (bytes.length > 0 || pieces.length === 1) parts.push({ at, row, timeNs });
    at += bytes.length;
  }
  return parts;
}

function join(pieces: readonly Piece[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of pieces) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}

function payloadOf(rows: Rows, slot: number): Uint8Array {
  const at = (rows.starts[slot] ?? 0) + (rows.payloads[slot] ?? 0);
  return (rows.messages[slot] as Uint8Array).subarray(at, at + (rows.captured[slot] ?? 0));
}

function* datagrams(rows: Rows, numbers: readonly number[], epoch: bigint): Generator<Piece> {
  for (const row of numbers) {
    const slot = rows.slot(row);
    const bytes = payloadOf(rows, slot);
    const side = ((rows.marks[slot] ?? 0) & mark.BACKWARD) === 0 ? 0 : 1;
    const missing = (rows.lengths[slot] ?? 0) - bytes.length;
    const timeNs = epoch + BigInt(rows.times[slot] ?? 0);
    if (bytes.length > 0 || missing > 0)
      yield { side, row, timeNs, missing: Math.max(0, missing), bytes };
  }
}

interface Waiting {
  readonly row: number;
  readonly from: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** Segments that wait for those before them; more are taken for a hole. */
const MAX_WAITING = 1024;

/** One direction of a TCP connection, put in order. */
class Assembly {
  next = 0;
  hasNext = false;
  readonly waiting: Waiting[] = [];

  /** Put a segment among those that wait, in the order of their sequence numbers. */
  add(segment: Waiting): void {
    let at = this.waiting.length;
    while (at > 0 && (((this.waiting[at - 1] as Waiting).from - segment.from) | 0) > 0) at--;
    this.waiting.splice(at, 0, segment);
  }
}

function* segments(rows: Rows, numbers: readonly number[], epoch: bigint): Generator<Piece> {
  const ends = [new Assembly(), new Assembly()] as const;
  const timeOf = (row: number) => epoch + BigInt(rows.times[rows.slot(row)] ?? 0);

  /** Hand out what can be handed out; past holes too when `acknowledged` says that they were filled. */
  function* release(side: 0 | 1, acknowledged: number | null, all: boolean): Generator<Piece> {
    const end = ends[side];
    for (let first = end.waiting[0]; first !== undefined; first = end.waiting[0]) {
      const ahead = (first.from - end.next) | 0;
      let missing = 0;
      if (ahead > 0) {
        const isPast = acknowledged !== null && ((acknowledged - first.from) | 0) > 0;
        if (!all && !isPast && end.waiting.length < MAX_WAITING) return;
        missing = ahead;
      }
      end.waiting.shift();
      const skip = Math.max(0, -ahead);
      const stop = (first.from + first.length) | 0;
      if (((stop - end.next) | 0) <= 0) continue;
      const bytes = first.bytes.subarray(Math.min(skip, first.bytes.length));
      const { row } = first;
      if (bytes.length > 0 || missing > 0) yield { side, row, timeNs: timeOf(row), missing, bytes };
      // What was cut from a packet is a hole before what comes next.
      end.next = (first.from + Math.max(skip, first.bytes.length)) | 0;
      if (first.bytes.length < first.length && end.waiting.length === 0) return;
    }
  }

  for (const row of numbers) {
    const slot = rows.slot(row);
    const marks = rows.marks[slot] ?? 0;
    if ((marks & mark.SEGMENT) === 0) continue;
    const side = (marks & mark.BACKWARD) === 0 ? 0 : 1;
    const bytes = rows.messages[slot] as Uint8Array;
    const at = (rows.starts[slot] ?? 0) + (rows.uppers[slot] ?? 0);
    const flags = bytes[at + 13] ?? 0;
    const number = (offset: number) =>
      ((bytes[offset] ?? 0) << 24) |
      ((bytes[offset + 1] ?? 0) << 16) |
      ((bytes[offset + 2] ?? 0) << 8) |
      (bytes[offset + 3] ?? 0);
    let from = number(at + 4);
    const end = ends[side];
    const length = rows.lengths[slot] ?? 0;
    if ((flags & 2) !== 0) from = (from + 1) | 0;
    if (!end.hasNext) {
      end.next = from;
      end.hasNext = true;
    }
    // What the other end acknowledges came to it, though it may not have come here.
    if ((flags & 16) !== 0) {
      const other = ends[side === 0 ? 1 : 0];
      const acknowledged = number(at + 8);
      if (other.hasNext && other.waiting.length > 0) {
        yield* release(side === 0 ? 1 : 0, acknowledged, false);
      }
    }
    // A keep-alive repeats a byte that may never have been.
    if (length === 0 || (marks & (mark.KEEP_ALIVE | mark.ZERO_WINDOW_PROBE)) !== 0) continue;
    end.add({ row, from, length, bytes: payloadOf(rows, slot) });
    yield* release(side, null, false);
  }
  yield* release(0, null, true);
  yield* release(1, null, true);
}

/**
 * Rates of the last minutes, a second at a time, on one time axis.
 *
 * Packets, bytes and losses are the service's own counters, so they hold whatever this page got;
 * the split by protocol is counted from the packets that came.
 */

import { signal } from "@preact/signals";
import { Headers } from "../packet/headers";
import type { Batch } from "../wire/batch";
import { type Counts, KINDS } from "../worker/messages";
import { Conversations } from "./conversations";
import { type Lost, lossesOf } from "./losses";

export const SECONDS = 300;

/** A session's counters as the API gives them. */
export interface Counters {
  readonly received: { readonly packets: number; readonly bytes: number };
  readonly injected: { readonly packets: number; readonly bytes: number };
  readonly lost: Lost;
}

export const DROP_CAUSES = [
  "ring",
  "truncated",
  "queue",
  "ended",
  "ring_full",
  "failed",
  "refused",
  "rejected",
] as const;

/** What the lines of the charts are made of. */
export const SERIES = [
  "receivedPackets",
  "receivedBytes",
  "injectedPackets",
  "injectedBytes",
  ...DROP_CAUSES,
] as const;
export type SeriesName = (typeof SERIES)[number];

export class TrafficModel {
  /** Goes up once a sample. */
  readonly version = signal(0);
  readonly conversations = new Conversations();
  /** Seconds since 1970 of each sample, the oldest first. */
  times: number[] = [];
  readonly series: Record<SeriesName, (number | null)[]>;

  private last: { time: number; totals: Record<SeriesName, number> } | null = null;
  private readonly headers = new Headers();
  private readonly kindBytes = new Float64Array(KINDS.length * SECONDS);
  private readonly kindPackets = new Float64Array(KINDS.length * SECONDS);
  private second = 0;

  constructor() {
    this.series = emptySeries();
  }

  /** Take what the worker counted. */
  addCounts(counts: readonly Counts[]): void {
    for (const { second, packets, bytes } of counts) {
      this.advance(second);
      if (second <= this.second - SECONDS) continue;
      const base = (second % SECONDS) * KINDS.length;
      for (const [kind, one] of packets.entries()) {
        this.kindPackets[base + kind] = (this.kindPackets[base + kind] ?? 0) + one;
        this.kindBytes[base + kind] = (this.kindBytes[base + kind] ?? 0) + (bytes[kind] ?? 0);
      }
    }
  }

  /** Count the packets of a batch by conversation. Allocates nothing per packet. */
  count(batch: Batch, second: number): void {
    this.advance(second);
    const { headers, conversations } = this;
    const { bytes, count, starts, originalLengths, injected } = batch;
    for (let i = 0; i < count; i++) {
      const start = starts[i] ?? 0;
      const end = starts[i + 1] ?? 0;
      const length = originalLengths === null ? end - start : (originalLengths[i] ?? 0);
      headers.read(bytes, start, end, length, injected);
      if (headers.version !== 0) conversations.add(headers);
    }
  }

  /** Take the service's counters at a time in milliseconds; rates come of two of them. */
  sample(counters: Counters, timeMs: number): void {
    const totals = totalsOf(counters);
    const time = timeMs / 1000;
    const { last } = this;
    this.last = { time, totals };
    this.advance(Math.floor(time));
    if (last === null || time <= last.time) return;
    const elapsed = time - last.time;
    this.times.push(Math.round(time));
    for (const name of SERIES) {
      // A counter that goes back belongs to a session that began anew.
      const difference = Math.max(0, totals[name] - last.totals[name]);
      this.series[name].push(difference / elapsed);
    }
    this.trim(time);
    this.version.value++;
  }

  /** Return packets and bytes of each kind over the last seconds, most bytes first. */
  split(seconds = 60): { kind: string; packets: number; bytes: number }[] {
    const found = KINDS.map((kind) => ({ kind, packets: 0, bytes: 0 }));
    for (let back = 0; back < Math.min(seconds, SECONDS); back++) {
      const base = ((((this.second - back) % SECONDS) + SECONDS) % SECONDS) * KINDS.length;
      for (const [index, one] of found.entries()) {
        one.packets += this.kindPackets[base + index] ?? 0;
        one.bytes += this.kindBytes[base + index] ?? 0;
      }
    }
    return found.filter((one) => one.packets > 0).sort((a, b) => b.bytes - a.bytes);
  }

  /** Forget everything, for another session. */
  clear(): void {
    this.times = [];
    Object.assign(this.series, emptySeries());
    this.last = null;
    this.kindBytes.fill(0);
    this.kindPackets.fill(0);
    this.conversations.clear();
    this.version.value++;
  }

  private advance(second: number): void {
    this.conversations.advance(second);
    for (let each = Math.max(this.second + 1, second - SECONDS + 1); each <= second; each++) {
      const base = (each % SECONDS) * KINDS.length;
      this.kindBytes.fill(0, base, base + KINDS.length);
      this.kindPackets.fill(0, base, base + KINDS.length);
    }
    this.second = Math.max(this.second, second);
  }

  private trim(now: number): void {
    const old = this.times.findIndex((time) => time > now - SECONDS);
    if (old <= 0) return;
    this.times.splice(0, old);
    for (const name of SERIES) this.series[name].splice(0, old);
  }
}

function emptySeries(): Record<SeriesName, (number | null)[]> {
  return Object.fromEntries(SERIES.map((name) => [name, []])) as unknown as Record<
    SeriesName,
    (number | null)[]
  >;
}

function totalsOf({ received, injected, lost }: Counters): Record<SeriesName, number> {
  return {
    receivedPackets: received.packets,
    receivedBytes: received.bytes,
    injectedPackets: injected.packets,
    injectedBytes: injected.bytes,
    ...(Object.fromEntries(DROP_CAUSES.map((cause) => [cause, sumOf(lost, cause)])) as Record<
      (typeof DROP_CAUSES)[number],
      number
    >),
  };
}

/** Return how many a cause took, for whatever reason; 0 where an older service does not count it. */
function sumOf(lost: Lost, cause: string): number {
  const count = lost[cause] ?? 0;
  return lossesOf({ [cause]: count }).reduce((sum, [, one]) => sum + (one ?? 0), 0);
}

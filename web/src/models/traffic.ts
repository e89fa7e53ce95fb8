/**
 * The traffic of the last hour, since this page was opened.
 *
 * Packets, bytes and losses of every adapter are the service's own counters, so they hold whatever
 * this page got. Protocols and pairs of addresses are counted from the packets that came, and are
 * those of one adapter.
 */

import { signal } from "@preact/signals";
import { Headers } from "../packet/headers";
import type { Batch } from "../wire/batch";
import { type Counts, KINDS } from "../worker/messages";
import { Conversations } from "./conversations";
import { type Counters, History, KEPT, type SeriesName } from "./history";
import { type Kind, KindCounts, type KindTotal } from "./kind-counts";

/** Seconds that a chart can show. */
export const RANGES = [60, 300, 900, KEPT] as const;
/** A point of a chart is the average of so many seconds. */
const WIDTHS: Readonly<Record<number, number>> = { 900: 5, [KEPT]: 15 };
/** Adapters whose counters are kept, and whose packets. */
const ADAPTERS = 64;
const COUNTED = 4;
const MARKS = 200;
/** Seconds that counters may take to come. */
const LATE = 3;

/** Something that happened, on the time axis. */
export interface Mark {
  readonly key: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly text: string;
  /** The GUID of its adapter; null if it is of none, or of several. */
  readonly adapter: string | null;
}

/** The points of a chart: the seconds at which they end, and how many seconds each is of. */
export interface Bins {
  readonly ends: readonly number[];
  readonly width: number;
}

export class TrafficModel {
  /** Goes up when counters came. */
  readonly version = signal(0);
  /** Adapters whose figures made room for those of others. */
  forgotten = 0;
  readonly conversations = new Conversations();
  private readonly marks: Mark[] = [];
  private keys = 0;
  private readonly histories = new Map<string, History>();
  /** The sum of all of them, also of those that are forgotten. */
  private all = new History();
  private readonly kinds = new Map<string, KindCounts>();
  private current = new KindCounts();
  private readonly headers = new Headers();
  /** The newest second of anything. */
  private newest = 0;

  /** Count the packets of this adapter from now on; what was counted before stays. */
  show(adapter: string): void {
    this.conversations.clear();
    this.current = this.kinds.get(adapter) ?? new KindCounts();
    if (adapter !== "") {
      this.kinds.delete(adapter);
      this.kinds.set(adapter, this.current);
      dropOldest(this.kinds, COUNTED);
    }
    this.version.value++;
  }

  /** Take what the worker counted. */
  addCounts(counts: readonly Counts[]): void {
    this.current.add(counts);
  }

  /** Count the packets of a batch by their addresses. Allocates nothing per packet. */
  count(batch: Batch, second: number): void {
    const { headers, conversations } = this;
    const { bytes, count, starts, originalLengths, injected } = batch;
    conversations.advance(second);
    for (let i = 0; i < count; i++) {
      const start = starts[i] ?? 0;
      const end = starts[i + 1] ?? 0;
      const length = originalLengths === null ? end - start : (originalLengths[i] ?? 0);
      headers.read(bytes, start, end, length, injected);
      if (headers.version !== 0) conversations.add(headers);
    }
  }

  /** Take the service's counters of a session of an adapter; both times are in milliseconds. */
  sample(
    adapter: string,
    session: string,
    counters: Counters,
    timeMs: number,
    startedMs?: number,
  ): void {
    const history = this.histories.get(adapter) ?? new History();
    this.histories.delete(adapter);
    this.histories.set(adapter, history);
    this.forgotten += dropOldest(this.histories, ADAPTERS);
    const step = history.sample(session, counters, timeMs, startedMs);
    if (step !== null) this.all.add(step);
    const second = Math.floor(timeMs / 1000);
    this.conversations.advance(second);
    this.newest = Math.max(this.newest, second);
    this.version.value++;
  }

  /** Let the time axis go on where no counters come, since no session runs. */
  tick(timeMs: number): void {
    const second = Math.floor(timeMs / 1000);
    if (second < this.newest + LATE) return;
    this.newest = second;
    this.conversations.advance(second);
    this.version.value++;
  }

  /** Note something that happened. */
  mark(timeMs: number, text: string, adapter: string | null): void {
    this.marks.push({ key: this.keys++, time: timeMs / 1000, text, adapter });
    if (this.marks.length > MARKS) this.marks.shift();
  }

  /** Return what happened in the last seconds, to an adapter or to any, the oldest first. */
  marksOf(range: number, adapter: string | null): readonly Mark[] {
    const from = this.newest - range;
    return this.marks.filter(
      (one) =>
        one.time > from && (adapter === null || one.adapter === null || one.adapter === adapter),
    );
  }

  /** Return the points of the last seconds. */
  bins(range: number): Bins {
    const width = WIDTHS[range] ?? 1;
    const last = Math.floor(this.newest / width) * width + width - 1;
    const ends = Array.from({ length: range / width }, (_, i) => last - range + (i + 1) * width);
    return { ends, width };
  }

  /** Return the rates of an adapter, or of all together, at these points; null is not known. */
  rates(name: SeriesName, { ends, width }: Bins, adapter: string | null): (number | null)[] {
    const history = adapter === null ? this.all : this.histories.get(adapter);
    return ends.map((end) => {
      if (history === undefined) return null;
      let sum = 0;
      let seconds = 0;
      for (let second = end - width + 1; second <= end; second++) {
        if (!history.knows(second)) continue;
        seconds++;
        sum += history.rate(name, second);
      }
      return seconds === 0 ? null : sum / seconds;
    });
  }

  /** Return the rates of a protocol of the adapter whose packets are counted, at these points. */
  kindRates(
    what: "packets" | "bytes",
    { ends, width }: Bins,
  ): Readonly<Record<Kind, (number | null)[]>> {
    const rates = Object.fromEntries(
      KINDS.map((kind) => [kind, [] as (number | null)[]]),
    ) as Record<Kind, (number | null)[]>;
    for (const end of ends) {
      // The packets of the newest second are still on their way, and a point may not be over yet.
      const last = Math.min(end, this.newest - 1);
      const seconds = last - (end - width);
      for (const total of this.current.total(end - width + 1, last)) {
        rates[total.kind].push(seconds > 0 ? total[what] / seconds : null);
      }
    }
    return rates;
  }

  /** Return packets and bytes of each protocol over the last seconds, most bytes first. */
  split(range: number): KindTotal[] {
    return this.current
      .total(this.newest - range + 1, Number.POSITIVE_INFINITY)
      .filter((one) => one.packets > 0)
      .sort((a, b) => b.bytes - a.bytes);
  }

  /** Forget everything. */
  clear(): void {
    this.histories.clear();
    this.all = new History();
    this.kinds.clear();
    this.marks.length = 0;
    this.forgotten = 0;
    this.show("");
  }
}

/** Drop the entries that were set first; return how many. */
function dropOldest(map: Map<string, unknown>, most: number): number {
  let dropped = 0;
  for (const key of map.keys()) {
    if (map.size <= most) break;
    map.delete(key);
    dropped++;
  }
  return dropped;
}

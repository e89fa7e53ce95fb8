/** Rates over the last hour, a second at a time, made of the service's counters. */

import { type Lost, lossesOf } from "./losses";

/** Seconds that are kept. */
export const KEPT = 3600;
/** Milliseconds that a session may be old when it is first seen, so that its zeros still count. */
const FRESH = 3000;
const NOTHING: Counters = {
  received: { packets: 0, bytes: 0 },
  injected: { packets: 0, bytes: 0 },
  lost: {},
};

/** A session's counters as the API gives them. */
export interface Counters {
  readonly received: { readonly packets: number; readonly bytes: number };
  readonly injected: { readonly packets: number; readonly bytes: number };
  readonly lost: Lost;
}

export const LOSS_CAUSES = [
  "ring",
  "truncated",
  "queue",
  "ended",
  "unclaimed",
  "ring_full",
  "failed",
  "refused",
  "rejected",
] as const;

export const SERIES = [
  "receivedPackets",
  "receivedBytes",
  "injectedPackets",
  "injectedBytes",
  ...LOSS_CAUSES,
] as const;
export type SeriesName = (typeof SERIES)[number];
type Totals = Record<SeriesName, number>;

/** The rates between two samples. */
export interface Step {
  /** The first second that is known by it, and the last. */
  readonly from: number;
  readonly to: number;
  readonly rates: readonly (readonly [SeriesName, number])[];
}

export class History {
  /** The newest second that is known, since 1970; 0 before there is one. */
  newest = 0;
  /** Which seconds are known: the others came while nobody asked. */
  private readonly known = new Uint8Array(KEPT);
  /** Only what was ever more than 0 has a ring. */
  private readonly rings = new Map<SeriesName, Float64Array>();
  private last: {
    readonly session: string;
    readonly time: number;
    readonly totals: Totals;
  } | null = null;

  /**
   * Take the counters of a session at a time in milliseconds; return the rates since the ones
   * before, null if nothing follows from them. One that has just started began with zeros.
   */
  sample(session: string, counters: Counters, timeMs: number, startedMs = 0): Step | null {
    const age = timeMs - startedMs;
    if (this.last?.session !== session && age >= 0 && age < FRESH) {
      this.last = { session, time: startedMs / 1000, totals: totalsOf(NOTHING) };
    }
    const { last } = this;
    const time = timeMs / 1000;
    const second = Math.floor(time);
    // Two within a second tell nothing about another one.
    if (last !== null && second <= Math.floor(last.time)) return null;
    const totals = totalsOf(counters);
    this.last = { session, time, totals };
    if (last === null || last.session !== session) return null;
    const from = Math.max(Math.floor(last.time) + 1, second - KEPT + 1);
    const elapsed = time - last.time;
    const rates = SERIES.flatMap((name) => {
      // A counter that goes back began anew.
      const difference = totals[name] - last.totals[name];
      return difference > 0 ? [[name, difference / elapsed] as const] : [];
    });
    const step = { from, to: second, rates };
    this.add(step);
    return step;
  }

  /** Add rates, which may be of another adapter than those before. */
  add({ from, to, rates }: Step): void {
    this.advance(to);
    for (let each = Math.max(from, this.newest - KEPT + 1); each <= to; each++) {
      this.known[each % KEPT] = 1;
      for (const [name, rate] of rates) {
        const ring = this.ringOf(name);
        ring[each % KEPT] = (ring[each % KEPT] ?? 0) + rate;
      }
    }
  }

  /** Return the rate in a second that is known. */
  rate(name: SeriesName, second: number): number {
    return this.rings.get(name)?.[second % KEPT] ?? 0;
  }

  knows(second: number): boolean {
    const isKept = second <= this.newest && second > this.newest - KEPT;
    return isKept && this.known[second % KEPT] === 1;
  }

  /** Forget what is older than an hour before this second. */
  private advance(second: number): void {
    for (let each = Math.max(this.newest + 1, second - KEPT + 1); each <= second; each++) {
      this.known[each % KEPT] = 0;
      for (const ring of this.rings.values()) ring[each % KEPT] = 0;
    }
    this.newest = Math.max(this.newest, second);
  }

  private ringOf(name: SeriesName): Float64Array {
    const ring = this.rings.get(name) ?? new Float64Array(KEPT);
    this.rings.set(name, ring);
    return ring;
  }
}

function totalsOf({ received, injected, lost }: Counters): Totals {
  return {
    receivedPackets: received.packets,
    receivedBytes: received.bytes,
    injectedPackets: injected.packets,
    injectedBytes: injected.bytes,
    ...(Object.fromEntries(LOSS_CAUSES.map((cause) => [cause, sumOf(lost, cause)])) as Record<
      (typeof LOSS_CAUSES)[number],
      number
    >),
  };
}

/** Return how many a cause took, for whatever reason; 0 where an older service does not count it. */
function sumOf(lost: Lost, cause: string): number {
  const count = lost[cause] ?? 0;
  return lossesOf({ [cause]: count }).reduce((sum, [, one]) => sum + (one ?? 0), 0);
}

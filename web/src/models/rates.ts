/** The last minute of a session's counters, as rates for a small graph. */

import { signal } from "@preact/signals";
import type { Session } from "../api/types";

export const SAMPLES = 60;

/** Per second. */
export interface Rate {
  readonly packets: number;
  readonly bytes: number;
}

export const NO_RATE: Rate = { packets: 0, bytes: 0 };

type Counters = Session["counters"];

export class Rates {
  /** Goes up with every sample. */
  readonly version = signal(0);
  /** Packets per second of both directions, the oldest first. */
  readonly received: number[] = [];
  readonly injected: number[] = [];
  receivedNow = NO_RATE;
  injectedNow = NO_RATE;
  private last: { counters: Counters; timeMs: number } | null = null;

  sample(counters: Counters, timeMs: number): void {
    const { last } = this;
    this.last = { counters, timeMs };
    if (last !== null && timeMs > last.timeMs) {
      const seconds = (timeMs - last.timeMs) / 1000;
      this.receivedNow = rate(last.counters.received, counters.received, seconds);
      this.injectedNow = rate(last.counters.injected, counters.injected, seconds);
      keep(this.received, this.receivedNow.packets);
      keep(this.injected, this.injectedNow.packets);
    }
    this.version.value++;
  }
}

function rate(before: Rate, after: Rate, seconds: number): Rate {
  // A session that began anew counts from 0 again.
  return {
    packets: Math.max(0, after.packets - before.packets) / seconds,
    bytes: Math.max(0, after.bytes - before.bytes) / seconds,
  };
}

function keep(samples: number[], value: number): void {
  samples.push(value);
  if (samples.length > SAMPLES) samples.shift();
}

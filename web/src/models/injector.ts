/** Packets on their way into a session: once, many times, or at a rate, and what became of them. */

import { computed, signal } from "@preact/signals";
import { problemOfError } from "../api/client";
import type { InjectionReport, Problem } from "../api/types";
import { HEADER_LENGTH, pack } from "../wire/batch";

/** A slower one would wait longer for its next packet than a timer can. */
export const MIN_RATE = 0.001;
export const MAX_RATE = 20_000;
export const MAX_COUNT = 1_000_000;

/** Milliseconds between two requests at a rate. */
const TURN = 10;
const MAX_BATCH = 4096;
const COLUMN = 2;

export interface Plan {
  /** The packet number `index`, from 0. */
  readonly make: (index: number) => Uint8Array;
  /** How many; Infinity goes on until it is stopped. */
  readonly count: number;
  /** Packets per second; null sends as fast as the service takes them. */
  readonly rate: number | null;
}

export interface Report {
  /** How many the plan has; Infinity goes on until it is stopped. */
  readonly wanted: number;
  readonly sent: number;
  readonly accepted: number;
  readonly ringFull: number;
  /** Packets that the service rejected or the host refused, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly seconds: number;
}

const NOTHING: Report = { wanted: 0, sent: 0, accepted: 0, ringFull: 0, rejected: {}, seconds: 0 };

/** The adapter that packets are sent to. */
export interface Destination {
  readonly guid: string;
  readonly name: string;
}

export type Send = (message: ArrayBuffer) => Promise<InjectionReport>;

export class Injector {
  readonly report = signal<Report | null>(null);
  readonly problem = signal<Problem | null>(null);
  /** Where the packets of the report went. */
  readonly destination = signal<Destination | null>(null);
  private readonly current = signal<object | null>(null);
  /** The run that the report is about. */
  private latest: object | null = null;
  readonly running = computed(() => this.current.value !== null);

  /** Carry out a plan; one that is under way is stopped. */
  async run(plan: Plan, to: Destination, send: Send, maxMessage: number): Promise<void> {
    const run = {};
    this.current.value = this.latest = run;
    this.report.value = { ...NOTHING, wanted: plan.count };
    this.problem.value = null;
    this.destination.value = to;
    const start = performance.now();
    let sent = 0;
    try {
      while (sent < plan.count && this.current.value === run) {
        const due = dueAt(plan, performance.now() - start) - sent;
        if (due > 0) {
          const packets = take(plan.make, sent, due, maxMessage);
          const answer = await send(pack(packets));
          sent += packets.length;
          if (this.latest === run) this.count(answer, packets.length, performance.now() - start);
        }
        if (plan.rate !== null && sent < plan.count) await pause(plan.rate);
      }
    } catch (error) {
      if (this.current.value === run) this.problem.value = problemOfError(error);
    } finally {
      if (this.current.value === run) this.current.value = null;
    }
  }

  stop(): void {
    this.current.value = null;
  }

  private count(answer: InjectionReport, sent: number, elapsed: number): void {
    const before = this.report.value ?? NOTHING;
    const rejected = { ...before.rejected };
    for (const [reason, count] of Object.entries({ ...answer.rejected, ...answer.refused })) {
      rejected[reason] = (rejected[reason] ?? 0) + count;
    }
    this.report.value = {
      wanted: before.wanted,
      sent: before.sent + sent,
      accepted: before.accepted + answer.accepted,
      ringFull: before.ringFull + answer.ring_full,
      rejected,
      seconds: elapsed / 1000,
    };
  }
}

/** Whether a run that is over has not sent all that it should; one without an end has. */
export function isShort({ sent, wanted }: Report): boolean {
  return sent < wanted && Number.isFinite(wanted);
}

/** Return how many packets should have been sent after this many milliseconds. */
export function dueAt(plan: Plan, elapsed: number): number {
  const due = plan.rate === null ? plan.count : 1 + Math.floor((elapsed / 1000) * plan.rate);
  return Math.min(plan.count, due);
}

/** Make the next packets: at most `due`, and as many as a message can hold. */
function take(
  make: (index: number) => Uint8Array,
  first: number,
  due: number,
  maxMessage: number,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let room = maxMessage - HEADER_LENGTH;
  for (let index = first; index < first + Math.min(due, MAX_BATCH); index++) {
    const packet = make(index);
    room -= packet.length + COLUMN;
    if (room < 0 && packets.length > 0) break;
    packets.push(packet);
  }
  return packets;
}

function pause(rate: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(TURN, 1000 / rate)));
}

/** A packet as a filter sees it: cheap facts at once, the rest when a test asks for it. */

import { decode } from "../packet/decode";
import type { Dissection, Field } from "../packet/dissection";
import { Headers } from "../packet/headers";

export interface Subject {
  readonly headers: Headers;
  /** The number that the table shows, from 1. */
  readonly number: number;
  readonly timeNs: bigint;
  /** Since the packet before. */
  readonly deltaNs: bigint;
  /** Since the first packet. */
  readonly relativeNs: bigint;
  readonly dissection: Dissection;
  /** What other packets say of this one: streams, retransmissions, answers. */
  readonly notes: readonly Field[];
  /** The record of TLS or the head of HTTP that ends in it, and began in another packet. */
  recordOf(protocol: string): readonly Field[];
}

/** What is known of a row beside its bytes; asked only by filters that need it. */
export interface Surroundings {
  timeNs(row: number): bigint;
  /** The time of the packet before; of the row itself when there is none. */
  previousNs(row: number): bigint;
  /** The time of the first packet. */
  originNs(): bigint;
  notes(row: number): readonly Field[];
  record(row: number, protocol: string): readonly Field[];
  /** Bytes of its segment that go on with an earlier one, as `decode` has it. */
  begins(row: number): number;
}

/**
 * The one subject of an engine, pointed at a packet after the other.
 *
 * Read the packet into `headers`, then call `point`. Nothing is allocated until a test asks for the
 * dissection, which is made once however many tests ask.
 */
export class PacketSubject implements Subject {
  readonly headers = new Headers();
  number = 0;
  private row = 0;
  private decoded: Dissection | null = null;
  private noted: readonly Field[] | null = null;

  constructor(private readonly surroundings: Surroundings) {}

  /** Say which row `headers` has been read from, and the number that the table shows for it. */
  point(row: number, number: number): void {
    this.row = row;
    this.number = number;
    this.decoded = this.noted = null;
    this.headers.begins = this.surroundings.begins(row);
  }

  get timeNs(): bigint {
    return this.surroundings.timeNs(this.row);
  }

  get deltaNs(): bigint {
    return this.timeNs - this.surroundings.previousNs(this.row);
  }

  get relativeNs(): bigint {
    return this.timeNs - this.surroundings.originNs();
  }

  get dissection(): Dissection {
    const { bytes, start, end, originalLength, begins } = this.headers;
    return (this.decoded ??= decode(bytes.subarray(start, end), originalLength, begins));
  }

  recordOf(protocol: string): readonly Field[] {
    return this.surroundings.record(this.row, protocol);
  }

  get notes(): readonly Field[] {
    return (this.noted ??= this.surroundings.notes(this.row));
  }
}

/** The surroundings of packets of which nothing but the bytes is known. */
export const ALONE: Surroundings = {
  timeNs: () => 0n,
  previousNs: () => 0n,
  originNs: () => 0n,
  notes: () => [],
  record: () => [],
  begins: () => 0,
};

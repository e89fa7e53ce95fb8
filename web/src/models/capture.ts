/** The packets of the chosen session: the stream, the ring it fills, and what was lost. */

import { signal } from "@preact/signals";
import type { Client } from "../api/client";
import { PacketStream, type StreamState } from "../api/packet-stream";
import type { Batch } from "../wire/batch";
import type { Control, Hello, Lost } from "../wire/control";
import { type Bounds, DEFAULT_BOUNDS, PacketRing } from "./packet-ring";
import type { TrafficModel } from "./traffic";

export class CaptureModel {
  readonly session = signal<string | null>(null);
  readonly state = signal<StreamState>({ name: "idle" });
  readonly hello = signal<Hello | null>(null);
  readonly bounds = signal<Bounds>(DEFAULT_BOUNDS);
  /** Bytes of each packet that the service sends; 0 for all. */
  readonly snaplen = signal(0);
  /** Goes up when another ring takes the place of `ring`. */
  readonly generation = signal(0);

  ring = new PacketRing(DEFAULT_BOUNDS);
  /** Packets that came, since the session was chosen. */
  arrived = 0;
  /** Packets that are missing by their sequence numbers. */
  missing = 0;
  /** Called after anything came. */
  onChange: () => void = () => undefined;

  private stream: PacketStream | null = null;
  // Next sequence number of received and injected packets; -1 before the first hello.
  private readonly expected = [-1, -1];

  constructor(
    private readonly client: Client,
    private readonly traffic: TrafficModel,
  ) {}

  /** Show another session, from now on; null shows none. */
  choose(session: string | null): void {
    if (session === this.session.value && session !== null) return;
    this.session.value = session;
    this.reset();
    this.reconnect();
  }

  /** Do not wait for the next attempt. */
  retry(): void {
    this.stream?.retry();
  }

  /** Keep more or fewer packets. What was kept so far goes. */
  bound(bounds: Bounds): void {
    this.bounds.value = bounds;
    this.reset();
  }

  /** Ask for the first bytes of each packet only; 0 asks for all. */
  cut(snaplen: number): void {
    if (snaplen === this.snaplen.value) return;
    this.snaplen.value = snaplen;
    this.reconnect();
  }

  /** Open the stream again, at once. */
  reconnect(): void {
    this.stream?.close();
    this.stream = null;
    const session = this.session.value;
    if (session === null) {
      this.state.value = { name: "idle" };
      return;
    }
    this.stream = new PacketStream(
      this.client,
      { session, snaplen: this.snaplen.value },
      {
        onBatches: (batches) => this.onBatches(batches),
        onControl: (control) => this.onControl(control),
        onState: (state) => {
          this.state.value = state;
        },
      },
    );
  }

  private onBatches(batches: readonly Batch[]): void {
    const second = Math.floor(Date.now() / 1000);
    for (const batch of batches) {
      this.findGap(batch);
      this.ring.append(batch);
      this.traffic.count(batch, second);
      this.arrived += batch.count;
    }
    this.onChange();
  }

  /** Add a row where sequence numbers show that packets are missing. */
  private findGap(batch: Batch): void {
    const index = Number(batch.injected);
    const next = this.expected[index] ?? -1;
    if (next >= 0 && batch.sequence > next) {
      this.addLoss("queue", batch.injected, next, batch.sequence - 1, batch.timeNs);
    }
    const steps = batch.sequenceDeltas?.reduce((sum, step) => sum + step, 1);
    this.expected[index] = batch.sequence + (steps ?? batch.count);
  }

  private onControl(control: Control): void {
    switch (control.type) {
      case "hello": {
        this.hello.value = control;
        const { received, injected } = control.next_sequence;
        for (const [index, next] of [received, injected].entries()) {
          const before = this.expected[index] ?? -1;
          if (before >= 0 && next > before) {
            const now = BigInt(Date.now()) * 1_000_000n;
            this.addLoss("disconnected", index === 1, before, next - 1, now);
          }
          this.expected[index] = next;
        }
        this.onChange();
        return;
      }
      case "ack":
        return;
      case "lost":
        this.onLost(control);
        return;
      case "ended":
        return;
    }
  }

  /** Add a row for packets that no later one shows as a gap in the sequence numbers. */
  private onLost({ cause, direction, count, first, last }: Lost): void {
    if (cause === "queue") return;
    const injected = direction === "injected";
    const index = Number(injected);
    const next = this.expected[index] ?? -1;
    const now = BigInt(Date.now()) * 1_000_000n;
    if (first == null || last == null) {
      this.missing += count;
      this.ring.appendLoss({ cause, injected, count, first: null, last: null }, now);
    } else if (last >= next) {
      this.addLoss(cause, injected, Math.max(first, next), last, now);
      this.expected[index] = last + 1;
    }
    this.onChange();
  }

  private addLoss(
    cause: string,
    injected: boolean,
    first: number,
    last: number,
    timeNs: bigint,
  ): void {
    const count = last - first + 1;
    this.missing += count;
    this.ring.appendLoss({ cause, injected, count, first, last }, timeNs);
  }

  private reset(): void {
    this.ring = new PacketRing(this.bounds.value);
    this.arrived = this.missing = 0;
    this.expected.fill(-1);
    this.hello.value = null;
    this.traffic.clear();
    this.generation.value++;
    this.onChange();
  }
}

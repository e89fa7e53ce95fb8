/**
 * The packets of the chosen adapter: the stream of its session, the ring it fills, what was lost.
 *
 * What came stays until it is cleared: over the end of a session, a restart of the service and
 * another adapter in between, as far as there is room.
 */

import { signal } from "@preact/signals";
import type { Client } from "../api/client";
import { PacketStream, type StreamState } from "../api/packet-stream";
import type { Batch } from "../wire/batch";
import type { Control, Hello, Lost } from "../wire/control";
import type { EngineModel } from "./engine";
import { type Bounds, DEFAULT_BOUNDS, type Item, type Loss, PacketRing } from "./packet-ring";
import type { TrafficModel } from "./traffic";

/** Whose packets they are. */
export interface Source {
  /** "" where an adapter is known by its name alone. */
  readonly guid: string;
  readonly name: string;
}

/** What came of an adapter. */
interface Recording {
  source: Source;
  /** The adapter that the newest session was of; "" where that does not tell it from others. */
  guid: string;
  ring: PacketRing;
  /** The session that the sequence numbers are of. */
  session: string | null;
  hello: Hello | null;
  arrived: number;
  missing: number;
  /** Next sequence number of received and injected packets; -1 before the first hello. */
  expected: [number, number];
}

/** A capture file that was opened. */
export interface OpenedFile {
  readonly name: string;
  readonly ring: PacketRing;
  /** What is damaged or left out, in sentences. */
  readonly faults: readonly string[];
  /** Whether it tells the direction of every packet. */
  readonly hasDirections: boolean;
}

/** Recordings of other adapters that are kept. */
const KEPT = 3;
const NOTHING: Source = { guid: "", name: "" };

export class CaptureModel {
  readonly session = signal<string | null>(null);
  readonly state = signal<StreamState>({ name: "idle" });
  readonly hello = signal<Hello | null>(null);
  readonly bounds = signal<Bounds>(DEFAULT_BOUNDS);
  /** Bytes of each packet that the service sends; 0 for all. */
  readonly snaplen = signal(0);
  /** The file that is shown in place of what comes; that goes on meanwhile. */
  readonly file = signal<OpenedFile | null>(null);
  /** Goes up when another ring takes the place of `ring`. */
  readonly generation = signal(0);

  /** Called after anything came. */
  onChange: () => void = () => undefined;
  /** Called with the adapters whose packets had to go for want of room. */
  onDropped: (names: readonly string[]) => void = () => undefined;

  private now: Recording;
  /** Of the adapters that were shown before, the newest last. */
  private readonly others: Recording[] = [];
  private stream: PacketStream | null = null;
  /** Whether a view that shows packets was opened. */
  private isWanted = false;
  private isAway = false;

  constructor(
    private readonly client: Client,
    private readonly traffic: TrafficModel,
    readonly engine: EngineModel,
  ) {
    this.now = this.begin(NOTHING);
    engine.onCounts = (counts) => this.file.peek() === null && traffic.addCounts(counts);
    engine.attach(this.ring);
  }

  /** The packets that are shown. */
  get ring(): PacketRing {
    return this.file.peek()?.ring ?? this.now.ring;
  }

  /** The packets that come, whether or not they are shown. */
  get live(): PacketRing {
    return this.now.ring;
  }

  /** The name of the adapter whose packets come. */
  get adapter(): string {
    return this.now.source.name;
  }

  /** Packets that came, since the adapter was chosen or the table was cleared. */
  get arrived(): number {
    return this.file.peek()?.ring.packets ?? this.now.arrived;
  }

  /** Packets that are missing by their sequence numbers. */
  get missing(): number {
    return this.file.peek() === null ? this.now.missing : 0;
  }

  /** Ask for the packets of what is chosen, from the first time on that a view shows them. */
  want(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    this.engine.start();
    this.reconnect();
  }

  /** Show an adapter, of which a session runs or is over. What came of it before stays. */
  show(source: Source, session: string | null): void {
    const isSame = isOne(source, this.now.source);
    if (!isSame) this.exchange(source);
    this.now.source = source;
    // What came stays when there is no other session.
    if (isSame && (session === null || session === this.session.peek())) {
      if (session !== null && this.stream === null) this.reconnect();
      return;
    }
    this.session.value = session ?? this.now.session;
    this.reconnect();
  }

  /** The service was started again: adapters may have other GUIDs. */
  renew(): void {
    for (const one of [this.now, ...this.others]) one.guid = "";
  }

  /** Show a file in place of what comes; null shows again what comes. */
  open(file: OpenedFile | null): void {
    this.file.value = file;
    if (file !== null) this.engine.start();
    this.present();
  }

  /** Forget everything, and show nothing. */
  forget(): void {
    this.suspend();
    this.file.value = null;
    this.others.length = 0;
    this.session.value = null;
    this.traffic.clear();
    this.replace(this.begin(NOTHING));
  }

  /** Close the stream; what came stays. */
  suspend(): void {
    this.stream?.close();
    this.stream = null;
    this.state.value = { name: "idle" };
  }

  /** The page is left, and may be come back to. */
  leave(): void {
    this.isAway = true;
    this.suspend();
  }

  comeBack(): void {
    this.isAway = false;
    this.reconnect();
  }

  /** Do not wait for the next attempt. */
  retry(): void {
    this.stream?.retry();
  }

  /** Keep more or fewer packets: of what was kept so far the newest that fit. */
  bound(bounds: Bounds): void {
    this.bounds.value = bounds;
    for (const one of [this.now, ...this.others]) one.ring = one.ring.resized(bounds);
    this.makeRoom();
    if (this.file.peek() === null) this.attach();
  }

  /** Forget the packets that came. */
  clear(): void {
    if (this.file.peek() !== null) return;
    this.ring.clear();
    this.engine.clear();
    this.now.arrived = this.now.missing = 0;
    this.onChange();
  }

  /** Keep every row where it is, or let old ones go again. */
  hold(hold: boolean): void {
    this.ring.hold = hold;
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
    const session = this.session.peek();
    if (session === null || !this.isWanted || this.isAway) {
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
    const items: Item[] = [];
    for (const batch of batches) {
      this.findGap(batch, items);
      items.push(batch);
      this.traffic.count(batch, second);
      this.now.arrived += batch.count;
    }
    this.take(items);
  }

  /** Add a row where sequence numbers show that packets are missing. */
  private findGap(batch: Batch, items: Item[]): void {
    const index = Number(batch.injected);
    const next = this.now.expected[index] ?? -1;
    if (next >= 0 && batch.sequence > next) {
      items.push(this.loss("queue", batch.injected, next, batch.sequence - 1, batch.timeNs));
    }
    const steps = batch.sequenceDeltas?.reduce((sum, step) => sum + step, 1);
    this.now.expected[index] = batch.sequence + (steps ?? batch.count);
  }

  private onControl(control: Control): void {
    if (control.type === "hello") this.onHello(control);
    else if (control.type === "lost") this.onLost(control);
  }

  private onHello(hello: Hello): void {
    const { now } = this;
    this.hello.value = now.hello = hello;
    this.engine.revive();
    const session = this.session.peek();
    const items: Item[] = [];
    const timeNs = BigInt(Date.now()) * 1_000_000n;
    if (now.session !== session) {
      if (now.session !== null && now.ring.count > 0) {
        const isRemade = now.guid !== "" && now.guid !== now.source.guid;
        const cause = isRemade ? "adapter" : "session";
        const loss = { cause, injected: false, count: 0, first: null, last: null };
        items.push({ loss, timeNs });
      }
      now.session = session;
      now.guid = now.source.guid;
      now.expected = [-1, -1];
    }
    const { received, injected } = hello.next_sequence;
    for (const [index, next] of [received, injected].entries()) {
      const before = now.expected[index] ?? -1;
      if (before >= 0 && next > before) {
        items.push(this.loss("disconnected", index === 1, before, next - 1, timeNs));
      }
      now.expected[index] = next;
    }
    this.take(items);
  }

  /** Add a row for packets that no later one shows as a gap in the sequence numbers. */
  private onLost({ cause, direction, count, first, last }: Lost): void {
    if (cause === "queue") return;
    const injected = direction === "injected";
    const index = Number(injected);
    const next = this.now.expected[index] ?? -1;
    const timeNs = BigInt(Date.now()) * 1_000_000n;
    if (first == null || last == null) {
      this.now.missing += count;
      this.take([{ loss: { cause, injected, count, first: null, last: null }, timeNs }]);
    } else if (last >= next) {
      this.take([this.loss(cause, injected, Math.max(first, next), last, timeNs)]);
      this.now.expected[index] = last + 1;
    }
  }

  private loss(
    cause: string,
    injected: boolean,
    first: number,
    last: number,
    timeNs: bigint,
  ): { loss: Loss; timeNs: bigint } {
    const count = last - first + 1;
    this.now.missing += count;
    return { loss: { cause, injected, count, first, last }, timeNs };
  }

  private take(items: readonly Item[]): void {
    // Only the ring knows what it has kept while it was held; rows have the same numbers in both.
    const taken = items.flatMap((item) => this.now.ring.take(item));
    if (this.file.peek() === null) this.engine.feed(taken);
    this.onChange();
  }

  private begin(source: Source): Recording {
    const ring = new PacketRing(this.bounds.peek());
    const [session, hello, arrived, missing] = [null, null, 0, 0];
    return { source, guid: "", ring, session, hello, arrived, missing, expected: [-1, -1] };
  }

  /** Put away what is shown, and show what was kept of another adapter, or begin. */
  private exchange(source: Source): void {
    const { others } = this;
    if (this.now.ring.count > 0) others.push(this.now);
    this.session.value = null;
    const at = others.findIndex((one) => isOne(one.source, source));
    this.replace((at < 0 ? undefined : others.splice(at, 1)[0]) ?? this.begin(source));
    this.makeRoom();
  }

  /** Let the oldest recordings of other adapters go where there are too many, and say whose. */
  private makeRoom(): void {
    const { others } = this;
    const dropped: string[] = [];
    const bytes = (): number => others.reduce((sum, one) => sum + one.ring.bytes, 0);
    while (others.length > KEPT || bytes() > this.bounds.peek().bytes) {
      dropped.push(others.shift()?.source.name ?? "");
    }
    if (dropped.length > 0) this.onDropped(dropped);
  }

  private replace(recording: Recording): void {
    this.now = recording;
    this.hello.value = recording.hello;
    this.traffic.show(recording.source.guid);
    if (this.file.peek() === null) this.present();
  }

  /** Let the rows that are shown be looked at anew. */
  private present(): void {
    this.now.ring.hold = false;
    this.attach();
  }

  private attach(): void {
    this.engine.attach(this.ring);
    this.generation.value++;
    this.onChange();
  }
}

/** Say whether it is the same adapter: one that was made anew has another GUID. */
function isOne(a: Source, b: Source): boolean {
  return (a.guid !== "" && a.guid === b.guid) || a.name === b.name;
}

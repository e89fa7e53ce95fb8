/**
 * The page's side of the worker, which filters and analyses packets away from the page's thread.
 *
 * The worker keeps a ring of its own with the same row numbers. What it has not taken yet is
 * bounded: one that falls a whole ring behind is started anew, as is one that fails.
 */

import { type Signal, signal } from "@preact/signals";
import type { Conversation, Followed, How } from "../analysis/conversation";
import type { Field } from "../packet/dissection";
import type { Counts, Note, Port, Reply, Request } from "../worker/messages";
import type { Item } from "../worker/ring";
import { FilteredRows } from "./filtered-rows";
import { PacketRing } from "./packet-ring";

/** A worker, and how to get rid of it. */
export interface WorkerPort extends Port<Request, Reply> {
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

export type EngineState =
  | { readonly name: "idle" }
  | { readonly name: "ready" }
  /** It failed or fell behind, and was started anew. */
  | { readonly name: "restarted"; readonly reason: string }
  /** It failed too often. */
  | { readonly name: "failed"; readonly reason: string };

/** Notes that are kept, and how long one holds. */
const NOTES = 1024;
const FRESH = 1000; // milliseconds
/** So many failures are too many, unless they lie further apart than this. */
const FAILURES = 5;
const APART = 60_000; // milliseconds
/** Milliseconds without a word to packets that were sent, after which a worker is given up. */
const DEAD = 10_000;
/** Milliseconds in which messages are gathered before the worker is told of them at once. */
const GATHER = 16;
/** Milliseconds without a word after which what is on its way counts as pending. */
const SILENCE = 500;

interface Held {
  readonly note: Note;
  readonly at: number;
  /** Rows that were looked at before it: those that came later may say more. */
  readonly end: number;
}

export class EngineModel {
  readonly state: Signal<EngineState> = signal({ name: "idle" });
  /** Goes up when notes came. */
  readonly version = signal(0);
  /** Those touched last at the end; only kept up to date while somebody watches. */
  readonly conversations = signal<readonly Conversation[]>([]);
  /** Conversations that made room for newer ones. */
  conversationsLost = 0;
  /** Packets that never came to where conversations are put together. */
  packetsLost = 0;
  readonly rows: FilteredRows;
  /** How often it was started anew. */
  restarts = 0;
  /** Called when rows came, or were looked at. */
  onChange: () => void = () => undefined;
  /** Called with the packets and bytes of each kind that came since. */
  onCounts: (counts: readonly Counts[]) => void = () => undefined;

  private worker: WorkerPort | null = null;
  private ringNumber = 0;
  private filterNumber = 0;
  private text = "";
  /** Rows that the worker has. */
  private seen = 0;
  private heardAt = 0;
  /** When the oldest packets were sent that the worker has not told of. */
  private sentAt = 0;
  private isWaiting = false;
  private failures = 0;
  private failedAt = 0;
  private watchers = 0;
  private readonly notesHeld = new Map<number, Held>();
  private readonly wanted = new Set<number>();
  /** Rows to ask for again once their notes are old, because packets have come since. */
  private readonly stale = new Set<number>();
  private asking: ReturnType<typeof setTimeout> | undefined;
  private follows = 0;
  private readonly following = new Map<
    number,
    { resolve: (followed: Followed | null) => void; reject: (error: Error) => void }
  >();
  private waiting: (() => void)[] = [];
  /** What the worker is to be told next. */
  private fresh: Item[] = [];
  private flushing: ReturnType<typeof setTimeout> | undefined;
  private flushedAt = 0;
  private readonly known = new Map<number, Conversation>();

  constructor(
    private readonly make: () => WorkerPort,
    private ring = new PacketRing({ packets: 1, bytes: 0 }),
  ) {
    this.rows = new FilteredRows(ring);
  }

  /** Start the worker, unless it runs. */
  start(): void {
    if (this.worker !== null || this.failures >= FAILURES) return;
    let worker: WorkerPort;
    try {
      worker = this.make();
    } catch (error) {
      this.failures = FAILURES;
      this.state.value = { name: "failed", reason: String(error) };
      return;
    }
    this.worker = worker;
    worker.onmessage = ({ data }) => this.take(data);
    worker.onerror = ({ message }) => this.fail(message);
    this.send();
  }

  /** Try again with a worker that failed too often. */
  revive(): void {
    if (this.state.peek().name !== "failed") return;
    this.failures = 0;
    this.state.value = { name: "idle" };
    this.start();
  }

  /** Show another ring from now on. */
  attach(ring: PacketRing): void {
    this.ring = ring;
    this.ringNumber++;
    this.forget();
    if (this.worker !== null) this.send();
  }

  /** Tell the worker what the ring has just taken, a few messages at once. */
  feed(items: readonly Item[]): void {
    if (this.worker === null || items.length === 0) return;
    for (const item of items) this.fresh.push(item);
    // Timers of a hidden page may wait for a minute.
    if (performance.now() - this.flushedAt >= GATHER) this.flush();
    else this.flushing ??= setTimeout(() => this.flush(), GATHER);
  }

  /** Say that the ring was cleared. */
  clear(): void {
    this.ringNumber++;
    this.forget();
    this.post({ type: "clear", ring: this.ringNumber });
    this.sendFilter();
  }

  /** Show what passes a filter that can be understood; an empty one shows all. */
  filter(text: string): void {
    this.text = text;
    this.filterNumber++;
    this.rows.restart(this.ring, text.trim() !== "");
    this.sendFilter();
    this.settle();
  }

  /** Rows that are still to be looked at. */
  get pending(): number {
    if (this.text.trim() === "") return 0;
    const since = performance.now() - Math.max(this.sentAt, this.heardAt);
    const unseen = this.isWaiting && since > SILENCE ? this.ring.end - this.seen : 0;
    return Math.min(this.rows.pending + unseen, this.ring.count);
  }

  /** Wait until the filter has looked at every row that is there now. */
  async settled(): Promise<void> {
    this.flush();
    const { end } = this.ring;
    while (
      this.text.trim() !== "" &&
      this.worker !== null &&
      (this.seen < end || this.rows.pending > 0)
    ) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /**
   * What is known of a row by the packets around it; undefined before the worker has said so, and
   * nothing when there will be no worker to say so.
   */
  notes(row: number): readonly Field[] | undefined {
    return this.noteOf(row)?.fields ?? (this.state.peek().name === "failed" ? [] : undefined);
  }

  /** Return what `decode` is to be told of a row; 0 before the worker has said so. */
  begins(row: number): number {
    return this.noteOf(row)?.begins ?? 0;
  }

  /** Return the conversation of a row; 0 for none, or before the worker has said so. */
  conversationOf(row: number): number {
    return this.noteOf(row)?.conversation ?? 0;
  }

  /** What stands before the line of a row. */
  prefix(row: number): string {
    return this.noteOf(row)?.prefix ?? "";
  }

  /** Keep `conversations` up to date until the returned function is called. */
  watchConversations(): () => void {
    this.watchers++;
    this.post({ type: "watch", watching: true });
    return () => {
      this.watchers--;
      if (this.watchers === 0) this.post({ type: "watch", watching: false });
    };
  }

  /** Ask for what a conversation said; null for one that is not kept any more. */
  follow(conversation: number, how: How): Promise<Followed | null> {
    const id = ++this.follows;
    return new Promise((resolve, reject) => {
      if (this.worker === null) {
        reject(new Error("The packets are not being read."));
        return;
      }
      this.following.set(id, { resolve, reject });
      this.post({ type: "follow", id, conversation, how });
    });
  }

  /** End the worker. */
  dispose(): void {
    this.worker?.terminate();
    this.worker = null;
    for (const { reject } of this.following.values()) reject(new Error("The worker ended."));
    this.following.clear();
    this.settle();
  }

  private take(reply: Reply): void {
    switch (reply.type) {
      case "ready":
        if (this.state.peek().name === "idle") this.state.value = { name: "ready" };
        return;
      case "seen":
        this.onSeen(reply);
        return;
      case "notes":
        if (reply.ring === this.ringNumber) this.onNotes(reply.notes);
        return;
      case "counts":
        if (reply.ring === this.ringNumber) this.onCounts(reply.counts);
        return;
      case "conversations":
        if (reply.ring === this.ringNumber) this.onConversations(reply);
        return;
      case "followed":
        this.following.get(reply.id)?.resolve(reply.followed);
        this.following.delete(reply.id);
        return;
    }
  }

  private onSeen({ ring, end, filter, pending, found }: Reply & { type: "seen" }): void {
    if (ring !== this.ringNumber) return;
    this.seen = end;
    this.heardAt = performance.now();
    this.isWaiting = end < this.ring.end;
    if (filter !== this.filterNumber || this.text.trim() === "") return;
    for (const rows of found) this.rows.insert(rows);
    this.rows.pending = pending;
    this.settle();
    this.onChange();
  }

  private onConversations(reply: Reply & { type: "conversations" }): void {
    const { changed, size, lost } = reply;
    this.conversationsLost = lost;
    this.packetsLost = reply.packetsLost;
    const { known } = this;
    for (const one of changed) {
      known.delete(one.id);
      known.set(one.id, one);
    }
    for (const id of known.keys()) {
      if (known.size <= size) break;
      known.delete(id);
    }
    this.conversations.value = [...known.values()];
  }

  private onNotes(notes: readonly Note[]): void {
    const at = performance.now();
    for (const note of notes) {
      this.notesHeld.delete(note.row);
      this.notesHeld.set(note.row, { note, at, end: this.seen });
    }
    for (const row of this.notesHeld.keys()) {
      if (this.notesHeld.size <= NOTES) break;
      this.notesHeld.delete(row);
    }
    this.version.value++;
    this.onChange();
  }

  /** Return what is known, and ask for it where it is not known or is old. */
  private noteOf(row: number): Note | undefined {
    const held = this.notesHeld.get(row);
    if (this.worker === null) return held?.note;
    const age = held === undefined ? FRESH : performance.now() - held.at;
    if (age >= FRESH) {
      if (this.wanted.size === 0) queueMicrotask(() => this.ask());
      this.wanted.add(row);
    } else if (held !== undefined && held.end < this.ring.end) {
      this.stale.add(row);
      this.asking ??= setTimeout(() => this.askAgain(), FRESH - age);
    }
    return held?.note;
  }

  private askAgain(): void {
    this.asking = undefined;
    for (const row of this.stale) this.wanted.add(row);
    this.stale.clear();
    this.ask();
  }

  private ask(): void {
    if (this.wanted.size === 0) return;
    this.post({ type: "notes", rows: [...this.wanted] });
    this.wanted.clear();
  }

  private fail(message: string | undefined): void {
    // A worker that could not be loaded says nothing.
    const reason = message || "It could not be loaded.";
    const now = performance.now();
    this.failures = now - this.failedAt > APART ? 1 : this.failures + 1;
    this.failedAt = now;
    if (this.failures >= FAILURES) {
      this.dispose();
      this.state.value = { name: "failed", reason };
      this.onChange();
      return;
    }
    this.restart(reason);
  }

  private restart(reason: string): void {
    this.dispose();
    this.restarts++;
    this.state.value = { name: "restarted", reason };
    this.ringNumber++;
    this.forget();
    this.start();
    // What the one before was asked for is asked again.
    this.onChange();
  }

  private flush(): void {
    clearTimeout(this.flushing);
    this.flushing = undefined;
    const { worker, ring, fresh: items } = this;
    if (worker === null || items.length === 0) return;
    const now = performance.now();
    this.flushedAt = now;
    if (!this.isWaiting) {
      this.isWaiting = true;
      this.sentAt = now;
    } else if (ring.end - this.seen > ring.bounds.packets) {
      this.restart("It fell behind the packets.");
      return;
    } else if (now - Math.max(this.sentAt, this.heardAt) > DEAD) {
      this.restart("It did not answer.");
      return;
    }
    this.fresh = [];
    worker.postMessage({ type: "feed", items });
  }

  /** Say something behind the packets that came before. */
  private post(request: Request): void {
    this.flush();
    this.worker?.postMessage(request);
  }

  /** Give a worker that knows nothing the ring as it is. */
  private send(): void {
    const { worker, ring } = this;
    if (worker === null) return;
    this.fresh = []; // the ring has it
    const { bounds, first: row, base, originNs } = ring;
    this.seen = ring.end;
    this.isWaiting = false;
    const [type, items] = ["open", ring.items(row)] as const;
    worker.postMessage({ type, ring: this.ringNumber, bounds, row, base, originNs, items });
    this.sendFilter();
    if (this.watchers > 0) worker.postMessage({ type: "watch", watching: true });
  }

  private sendFilter(): void {
    this.post({ type: "filter", filter: this.filterNumber, text: this.text });
  }

  /** Forget what was said of rows. */
  private forget(): void {
    this.notesHeld.clear();
    this.stale.clear();
    this.known.clear();
    this.conversations.value = [];
    this.rows.restart(this.ring, this.text.trim() !== "");
    this.filterNumber++;
  }

  private settle(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Run what the worker does in this thread: slower for the page, and the same otherwise. */
export function workerInProcess(): WorkerPort {
  const { port1, port2 } = new MessageChannel();
  const port = port1 as unknown as WorkerPort;
  port.terminate = () => port1.close();
  void import("../worker/engine").then(({ Engine }) => {
    new Engine(port2 as unknown as Port<Reply, Request>);
  });
  return port;
}

/** The worker's side: its own ring with the page's row numbers, and what is asked of its packets. */

import { Analysis } from "../analysis/analysis";
import { compileFilter } from "../filter/parser";
import { PacketSubject } from "../filter/subject";
import type { Field } from "../packet/dissection";
import { Headers } from "../packet/headers";
import { Kinds } from "./kinds";
import type { Port, Reply, Request } from "./messages";
import { type Item, LOSS, PacketRing } from "./ring";
import { Scan } from "./scan";

/** Milliseconds of looking through a filter before the next message is taken. */
const TURN = 8;
/** Milliseconds between two times that conversations and counts are told. */
const PERIOD = 250;
/** The same after so many conversations changed at once that the page has work with them. */
const LONG_PERIOD = 1000;
const MANY = 2000;
const CONVERSATIONS = 16_384;

export class Engine {
  private ring = new PacketRing({ packets: 1, bytes: 0 });
  private analysis = new Analysis({ rows: 1, conversations: 1 });
  private kinds = new Kinds(this.analysis);
  private ringNumber = -1;
  private filter = 0;
  private text = "";
  private scan: Scan | null = null;
  private isWatched = false;
  /** The version of the analysis that conversations were told of. */
  private told = 0;
  private readonly headers = new Headers();
  private readonly subject = new PacketSubject({
    timeNs: (row) => this.ring.timeNs(row),
    previousNs: (row) => this.ring.timeNs(Math.max(row - 1, this.ring.first)),
    originNs: () => this.ring.timeNs(this.ring.first),
    notes: (row) => this.analysis.fieldsOf(row),
    record: (row, protocol) => this.analysis.recordOf(row, protocol),
    begins: (row) => this.analysis.beginsOf(row),
  });
  /** Asks for the next turn, behind the messages that wait. */
  private readonly turn = new MessageChannel();
  private isTurning = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private period = PERIOD;

  constructor(private readonly page: Port<Reply, Request>) {
    this.turn.port1.onmessage = () => this.advance();
    page.onmessage = ({ data }) => this.take(data);
    page.postMessage({ type: "ready" });
  }

  private take(request: Request): void {
    switch (request.type) {
      case "open": {
        const { bounds, row, base, originNs } = request;
        this.ring = new PacketRing(bounds, row);
        Object.assign(this.ring, { base, originNs });
        this.analysis = new Analysis({ rows: bounds.packets, conversations: CONVERSATIONS });
        this.analysis.base = base;
        this.kinds = new Kinds(this.analysis);
        this.ringNumber = request.ring;
        this.told = 0;
        this.feed(request.items, null);
        this.restart();
        return;
      }
      case "feed":
        this.feed(request.items, Math.floor(Date.now() / 1000));
        this.request();
        return;
      case "clear":
        this.ring.clear();
        this.ringNumber = request.ring;
        this.analysis.clear();
        this.analysis.base = this.ring.base;
        this.told = 0;
        this.restart();
        this.tellLater();
        return;
      case "filter":
        this.filter = request.filter;
        this.text = request.text;
        this.restart();
        return;
      case "notes":
        this.page.postMessage({
          type: "notes",
          ring: this.ringNumber,
          notes: request.rows.map((row) => ({
            row,
            prefix: this.analysis.prefixOf(row),
            fields: this.notesOf(row),
            begins: this.analysis.beginsOf(row),
            conversation: this.analysis.conversationOf(row),
          })),
        });
        return;
      case "watch":
        this.isWatched = request.watching;
        this.told = 0;
        this.tellLater();
        return;
      case "follow": {
        const { id, conversation, how } = request;
        const followed = this.analysis.follow(conversation, how);
        this.page.postMessage({ type: "followed", id, followed });
        return;
      }
    }
  }

  /** Return what other packets say of a row; a record that ends there stands for the mark of one. */
  private notesOf(row: number): readonly Field[] {
    const record = this.analysis.recordOf(row);
    const names = record.map(({ name }) => name);
    return [...this.analysis.fieldsOf(row).filter(({ name }) => !names.includes(name)), ...record];
  }

  private feed(items: readonly Item[], second: number | null): void {
    for (const item of items) this.add(item, second);
    this.analysis.drop(this.ring.first);
    this.tellLater();
  }

  /** Take packets or a loss; `second` counts them, null for what was counted before. */
  private add(item: Item, second: number | null): void {
    const { ring, headers, analysis } = this;
    const before = ring.end;
    ring.take(item);
    if ("loss" in item) analysis.lose(item.loss.count);
    for (let row = Math.max(before, ring.first); row < ring.end; row++) {
      if (ring.kind(row) === LOSS) continue;
      ring.read(row, headers);
      analysis.add(row, headers, ring.timeNs(row));
      if (second !== null) this.kinds.add(row, headers, second);
    }
  }

  /** Look at every row again. */
  private restart(): void {
    const filter = compileFilter(this.text);
    const { ring, subject } = this;
    this.scan =
      filter &&
      new Scan(ring.first, (row) => {
        if (ring.kind(row) === LOSS) return true;
        ring.read(row, subject.headers);
        subject.point(row, row - ring.base + 1);
        return filter.test(subject);
      });
    this.request();
  }

  private request(): void {
    if (this.isTurning) return;
    this.isTurning = true;
    this.turn.port2.postMessage(null);
  }

  private advance(): void {
    this.isTurning = false;
    const { ring, scan } = this;
    const stop = performance.now() + TURN;
    scan?.extend(ring.first, ring.end);
    const found = scan?.run(() => performance.now() > stop) ?? [];
    const pending = scan?.pending ?? 0;
    const { filter, ringNumber } = this;
    this.page.postMessage(
      { type: "seen", ring: ringNumber, end: ring.end, filter, pending, found },
      found.map((rows) => rows.buffer as ArrayBuffer),
    );
    if (pending > 0) this.request();
  }

  private tellLater(): void {
    this.timer ??= setTimeout(() => this.tell(), this.period);
  }

  private tell(): void {
    this.timer = undefined;
    const { analysis, ringNumber: ring } = this;
    const counts = this.kinds.take();
    if (counts.length > 0) this.page.postMessage({ type: "counts", ring, counts });
    if (!this.isWatched) return;
    const changed = analysis.conversations(this.told);
    this.told = analysis.version;
    this.period = changed.length < MANY ? PERIOD : LONG_PERIOD;
    const { size, lost } = analysis;
    this.page.postMessage({
      type: "conversations",
      ring,
      changed,
      size,
      lost: lost.conversations,
      packetsLost: lost.packets,
    });
  }
}

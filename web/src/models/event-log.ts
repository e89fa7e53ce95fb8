/** What happened, for people to read: events and the driver's log, bounded. */

import { signal } from "@preact/signals";
import type { ImpairmentLossEvent, ServiceEvent } from "../api/events";
import { eventLevel, eventText, type Level } from "./event-text";

/** As many as the service keeps itself. */
const MOST = 1000;

export interface LogEntry {
  /** The event's number; -1 for an entry of the page's own. */
  readonly id: number;
  readonly key: number;
  readonly time: Date;
  readonly level: Level;
  readonly type: string;
  readonly text: string;
}

export const LEVELS: readonly Level[] = ["info", "warning", "error"];

export class EventLogModel {
  /** Goes up when entries came. */
  readonly version = signal(0);
  /** Entries below this level are not shown. */
  readonly least = signal<Level>("info");
  /** Only the driver's own lines, only the others, or both. */
  readonly source = signal<"all" | "driver" | "service">("all");
  readonly text = signal("");
  private entries: LogEntry[] = [];
  /** The losses of impairments since anything else happened. */
  private readonly losses = new Map<string, { readonly key: number; readonly count: number }>();
  private keys = 0;
  private newest = -1;

  /** `nameOf` gives an adapter's name for its GUID. */
  constructor(private readonly nameOf: (guid: string) => string = (guid) => guid) {}

  get count(): number {
    return this.entries.length;
  }

  add(event: ServiceEvent): void {
    this.newest = Math.max(this.newest, event.id);
    this.take(event);
    this.version.value++;
  }

  /** Put what happened before this page came in front. */
  addPast(events: readonly ServiceEvent[]): void {
    const first = this.entries.find((entry) => entry.id >= 0)?.id ?? Number.POSITIVE_INFINITY;
    const present = this.entries;
    this.entries = [];
    this.losses.clear();
    for (const event of events) if (event.id < first) this.take(event);
    this.losses.clear();
    this.entries = [...this.entries, ...present].slice(-MOST);
    this.version.value++;
  }

  /** Write down something of the page's own. */
  note(level: Level, text: string): void {
    const key = this.keys++;
    this.push({ id: -1, key, time: new Date(), level, type: "dashboard", text });
    this.version.value++;
  }

  clear(): void {
    this.entries = [];
    this.losses.clear();
    this.version.value++;
  }

  /** Return what passes the filters, the oldest first. */
  shown(): readonly LogEntry[] {
    const least = LEVELS.indexOf(this.least.value);
    const source = this.source.value;
    const words = this.text.value.toLowerCase();
    return this.entries.filter(
      (entry) =>
        LEVELS.indexOf(entry.level) >= least &&
        (source === "all" || (source === "driver") === entry.type.startsWith("driver.")) &&
        (words === "" || `${entry.type} ${entry.text}`.toLowerCase().includes(words)),
    );
  }

  /** Return them as lines to paste into a report. */
  copyText(): string {
    return this.shown()
      .map((one) => `${one.time.toISOString()} ${one.level.padEnd(7)} ${one.type}: ${one.text}`)
      .join("\n");
  }

  private take(event: ServiceEvent): void {
    if (event.type === "impairment.loss") this.takeLoss(event);
    else this.push(this.entryOf(event));
  }

  /** An impairment loses packets every second: one entry has those that nothing came between. */
  private takeLoss(event: ImpairmentLossEvent): void {
    const { adapter, direction, cause, count } = event.data;
    const cell = `${adapter} ${direction} ${cause}`;
    const before = this.losses.get(cell);
    const sum = (before?.count ?? 0) + count;
    const entry = this.entryOf({ ...event, data: { ...event.data, count: sum } });
    const at = this.entries.findLastIndex(({ key }) => key === before?.key);
    const first = this.entries[at];
    if (first === undefined) this.push(entry, false);
    else this.entries[at] = { ...entry, key: first.key, id: first.id };
    this.losses.set(cell, { key: first?.key ?? entry.key, count: sum });
  }

  private push(entry: LogEntry, ends = true): void {
    if (ends) this.losses.clear();
    this.entries.push(entry);
    if (this.entries.length > MOST) this.entries.shift();
  }

  private entryOf(event: ServiceEvent): LogEntry {
    return {
      id: event.id,
      key: this.keys++,
      time: new Date(event.time),
      level: eventLevel(event),
      type: event.type,
      text: eventText(event, this.nameOf),
    };
  }
}

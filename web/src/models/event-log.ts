/** What happened, for people to read: events and the driver's log, bounded. */

import { signal } from "@preact/signals";
import type { ServiceEvent } from "../api/events";
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
  private keys = 0;
  private newest = -1;

  get count(): number {
    return this.entries.length;
  }

  add(event: ServiceEvent): void {
    this.newest = Math.max(this.newest, event.id);
    this.push(entryOf(event, this.keys++));
  }

  /** Put what happened before this page came in front. */
  addPast(events: readonly ServiceEvent[]): void {
    const first = this.entries.find((entry) => entry.id >= 0)?.id ?? Number.POSITIVE_INFINITY;
    const past = events.filter((event) => event.id < first).map((one) => entryOf(one, this.keys++));
    this.entries = [...past, ...this.entries].slice(-MOST);
    this.version.value++;
  }

  /** Write down something of the page's own. */
  note(level: Level, text: string): void {
    const key = this.keys++;
    this.push({ id: -1, key, time: new Date(), level, type: "dashboard", text });
  }

  clear(): void {
    this.entries = [];
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

  private push(entry: LogEntry): void {
    this.entries.push(entry);
    if (this.entries.length > MOST) this.entries.shift();
    this.version.value++;
  }
}

function entryOf(event: ServiceEvent, key: number): LogEntry {
  return {
    id: event.id,
    key,
    time: new Date(event.time),
    level: eventLevel(event),
    type: event.type,
    text: eventText(event),
  };
}

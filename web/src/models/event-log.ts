/** What happened, for people to read: events and the driver's log, bounded. */

import { effect, signal } from "@preact/signals";
import type { ImpairmentLossEvent, ServiceEvent } from "../api/events";
import type { Store } from "../api/store";
import type { Adapter, Session } from "../api/types";
import { auditedAdapter, eventLevel, eventText, type Level } from "./event-text";
import { plainName } from "./visible";

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
  /** The adapter that it is about, as it was called then; "" for none. */
  readonly adapter: string;
  readonly guid: string;
}

export const LEVELS: readonly Level[] = ["info", "warning", "error"];
export const SOURCES = ["all", "service", "audit", "driver"] as const;
export type Source = (typeof SOURCES)[number];

const CLEARED = "wintun-api.events.cleared";
const LEAST = "wintun-api.events.level";
const SOURCE = "wintun-api.events.source";
const AUDIT = "wintun-api.events.audit";
const NOWHERE: Store = { getItem: () => null, setItem: () => undefined };

export class EventLogModel {
  /** Goes up when entries came. */
  readonly version = signal(0);
  /** Entries below this level are not shown. */
  readonly least = signal<Level>("info");
  /** Only the driver's own lines, only what tokens did, only the rest, or all. */
  readonly source = signal<Source>("all");
  /** Whether requests that succeeded are among all: events tell what came of most of them. */
  readonly audit = signal(false);
  readonly text = signal("");
  /** What happened up to then was cleared away, in milliseconds since 1970; 0 for nothing. */
  readonly clearedAt = signal(0);
  private entries: LogEntry[] = [];
  /** The losses of impairments since anything else happened. */
  private readonly losses = new Map<string, { readonly key: number; readonly count: number }>();
  private keys = 0;
  /** The adapters as events and snapshots last told of them, those that were deleted included. */
  private known = new Map<string, Adapter>();
  /** What an adapter is called by events that came after one that has its GUID only. */
  private readonly names = new Map<string, string>();
  /** The adapters of sessions. */
  private readonly sessions = new Map<string, string>();

  /** `nameNow` gives an adapter's name for its GUID; `store` keeps what is filtered. */
  constructor(
    private readonly nameNow: (guid: string) => string = (guid) => guid,
    store: Store = NOWHERE,
  ) {
    this.clearedAt.value = Number(store.getItem(CLEARED)) || 0;
    this.least.value = LEVELS.find((level) => level === store.getItem(LEAST)) ?? "info";
    this.source.value = SOURCES.find((source) => source === store.getItem(SOURCE)) ?? "all";
    this.audit.value = store.getItem(AUDIT) !== null;
    effect(() => {
      store.setItem(CLEARED, this.clearedAt.value === 0 ? null : String(this.clearedAt.value));
      store.setItem(LEAST, this.least.value === "info" ? null : this.least.value);
      store.setItem(AUDIT, this.audit.value ? "shown" : null);
      store.setItem(SOURCE, this.source.value === "all" ? null : this.source.value);
    });
  }

  /** How many there are, those that were cleared away left out. */
  get count(): number {
    return this.present().length;
  }

  /** Learn how the adapters are, so that a change can be told. */
  know(adapters: readonly Adapter[], sessions: readonly Session[] = []): void {
    for (const adapter of adapters) this.remember(adapter);
    for (const { id, adapter } of sessions) keep(this.sessions, id, adapter);
  }

  add(event: ServiceEvent): void {
    this.take(event);
    this.version.value++;
  }

  /** Put what happened before this page came in front. */
  addPast(events: readonly ServiceEvent[]): void {
    const first = this.entries.find((entry) => entry.id >= 0)?.id ?? Number.POSITIVE_INFINITY;
    const present = this.entries;
    // In the past they were not as they are now.
    const known = this.known;
    this.known = new Map();
    this.entries = [];
    this.losses.clear();
    for (const { data } of events) {
      if (isAdapter(data) && !this.names.has(data.guid)) keep(this.names, data.guid, data.name);
    }
    for (const event of events) if (event.id < first) this.take(event);
    this.losses.clear();
    const past = this.known;
    this.known = known;
    for (const [guid, adapter] of past) if (!known.has(guid)) this.remember(adapter);
    this.entries = [...this.entries, ...present.map((one) => this.named(one))].slice(-MOST);
    this.version.value++;
  }

  /** Write down something of the page's own. */
  note(level: Level, text: string): void {
    const key = this.keys++;
    this.push({
      id: -1,
      key,
      time: new Date(),
      level,
      type: "dashboard",
      text,
      adapter: "",
      guid: "",
    });
    this.version.value++;
  }

  /** Clear the list away: what has happened until now is not shown again unless it is asked for. */
  clear(): void {
    const last = this.entries.at(-1);
    this.clearedAt.value = Math.max(Date.now(), last?.time.getTime() ?? 0);
    this.losses.clear();
    this.version.value++;
  }

  /** Show again what was cleared away. */
  restore(): void {
    this.clearedAt.value = 0;
    this.version.value++;
  }

  /** Forget everything: somebody else may sign in. */
  forget(): void {
    this.entries = [];
    this.known.clear();
    this.names.clear();
    this.sessions.clear();
    this.losses.clear();
    this.version.value++;
  }

  /** Show all of it again. */
  showAll(): void {
    this.least.value = "info";
    this.source.value = "all";
    this.text.value = "";
    this.audit.value = true;
  }

  /** Return what passes the filters, the oldest first. */
  shown(): readonly LogEntry[] {
    const found = this.found();
    return this.isFolded ? found.filter((entry) => !isFolded(entry)) : found;
  }

  /** How many requests that succeeded pass the filters and are left out all the same. */
  get folded(): number {
    return this.isFolded ? this.found().filter(isFolded).length : 0;
  }

  private get isFolded(): boolean {
    return this.source.value === "all" && !this.audit.value;
  }

  private found(): readonly LogEntry[] {
    const least = LEVELS.indexOf(this.least.value);
    const source = this.source.value;
    const words = this.text.value.toLowerCase();
    return this.present().filter(
      (entry) =>
        LEVELS.indexOf(entry.level) >= least &&
        (source === "all" || source === sourceOf(entry)) &&
        (words === "" || `${entry.type} ${entry.text}`.toLowerCase().includes(words)),
    );
  }

  /** Return them as lines to paste into a report. */
  copyText(): string {
    return this.shown()
      .map((one) => `${one.time.toISOString()} ${one.level.padEnd(7)} ${one.type}: ${one.text}`)
      .join("\n");
  }

  /** Return the name of an adapter, also of one that is gone, or its GUID where no event has told. */
  nameOf(guid: string): string {
    return plainName(this.calledBy(guid));
  }

  private calledBy(guid: string): string {
    return this.known.get(guid)?.name ?? this.names.get(guid) ?? this.nameNow(guid);
  }

  /** Put in the name that was not known when an event came. */
  private named(entry: LogEntry): LogEntry {
    const { guid } = entry;
    if (guid === "" || entry.adapter !== guid || this.calledBy(guid) === guid) return entry;
    const text = entry.text.replaceAll(guid, this.nameOf(guid));
    return { ...entry, text, adapter: this.calledBy(guid) };
  }

  private present(): readonly LogEntry[] {
    const from = this.clearedAt.value;
    return from === 0 ? this.entries : this.entries.filter(({ time }) => time.getTime() > from);
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
    const data = (event as { readonly data?: unknown }).data;
    const isChange = event.type.startsWith("adapter.c") && isAdapter(data);
    const before = isChange ? this.known.get(data.guid) : undefined;
    if (isAdapter(data)) this.remember(data);
    if (event.type.startsWith("session.") && isSession(data)) {
      keep(this.sessions, data.id, data.adapter);
    }
    const adapterOf = (session: string) => this.sessions.get(session) ?? "";
    const nameOf = (guid: string) => this.nameOf(guid);
    const guid =
      event.type === "audit.change" ? auditedAdapter(event.data, adapterOf) : guidOf(data);
    return {
      id: event.id,
      key: this.keys++,
      time: new Date(event.time),
      level: eventLevel(event),
      type: event.type,
      text: eventText(event, nameOf, before, adapterOf),
      guid,
      adapter: guid && this.calledBy(guid),
    };
  }

  private remember(adapter: Adapter): void {
    keep(this.known, adapter.guid, adapter);
  }
}

/** Put the newest last, and let the oldest go where there are too many. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

function sourceOf({ type }: LogEntry): Source {
  if (type.startsWith("driver.")) return "driver";
  return type.startsWith("audit.") ? "audit" : "service";
}

/** Say whether an entry is of a request that succeeded. */
function isFolded(entry: LogEntry): boolean {
  return entry.level === "info" && sourceOf(entry) === "audit";
}

function isSession(data: unknown): data is Pick<Session, "id" | "adapter"> {
  return typeof data === "object" && data !== null && "id" in data && "adapter" in data;
}

function isAdapter(data: unknown): data is Adapter {
  return typeof data === "object" && data !== null && "guid" in data && "mtu" in data;
}

/** Return the GUID of the adapter that the data of an event is about; "" for none. */
function guidOf(data: unknown): string {
  if (isAdapter(data)) return data.guid;
  const found = data as { readonly adapter?: unknown } | null | undefined;
  return typeof found?.adapter === "string" ? found.adapter : "";
}

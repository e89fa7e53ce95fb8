/** How the reader likes the packet table and its details to look. It outlives the page. */

import { type Signal, signal } from "@preact/signals";
import type { Store } from "../api/store";
import { fieldOf } from "../filter/fields";
import { meant } from "../filter/unknown";
import type { Field } from "../packet/dissection";
import { fieldsOf, TIME_FORMATS, type TimeFormat } from "./packet-text";

export interface Column {
  /** One of the table's own columns, or the name of a field. */
  readonly id: string;
  readonly label: string;
  /** In pixels; null for the width that it has by itself. */
  readonly width: number | null;
  readonly shown: boolean;
  /** Whether it was added, and shows a field. */
  readonly isField: boolean;
}

const OWN: readonly (readonly [id: string, label: string])[] = [
  ["number", "No."],
  ["time", "Time"],
  ["direction", "Direction"],
  ["source", "Source"],
  ["destination", "Destination"],
  ["protocol", "Protocol"],
  ["length", "Bytes"],
  ["info", "Info"],
];
/** What only a filter knows, or what a column of the table shows already. */
const NO_COLUMN =
  /^(?:frame\b.*|_ws\.col\..*|received|injected|cut|fragment|len|proto|host|src|dst|tcp\.flags\.str)$/;
const KEY = "wintun-api.packets";
export const MOST_COLUMNS = 24;
const NARROWEST = 32;
const WIDEST = 1600;
export const LEAST_DETAIL = 15;
export const MOST_DETAIL = 80;
/** Layers whose folding is remembered. */
const MOST_FOLDS = 200;

interface Kept {
  columns?: unknown;
  time?: unknown;
  utc?: unknown;
  detail?: unknown;
  folds?: unknown;
}

const own = ([id, label]: readonly [string, string]): Column => ({
  id,
  label,
  width: null,
  shown: true,
  isField: false,
});

export class TableLayout {
  readonly columns: Signal<readonly Column[]> = signal(OWN.map(own));
  readonly time = signal<TimeFormat>("clock");
  readonly utc = signal(false);
  /** Percent of the height that the details take. */
  readonly detail = signal(42);
  /** What the reader opened or folded, by the name of the layer or field. */
  readonly folds: Signal<ReadonlyMap<string, boolean>> = signal(new Map());

  constructor(private readonly store: Store) {
    const kept = read(store);
    if (Array.isArray(kept.columns)) this.columns.value = columnsOf(kept.columns);
    this.time.value = TIME_FORMATS.find((one) => one === kept.time) ?? "clock";
    this.utc.value = kept.utc === true;
    if (typeof kept.detail === "number") this.divide(kept.detail);
    if (Array.isArray(kept.folds)) {
      const pairs = kept.folds.filter((one): one is [string, boolean] => Array.isArray(one));
      this.folds.value = new Map(pairs.slice(-MOST_FOLDS));
    }
  }

  /** Choose how times are shown. */
  show(time: TimeFormat, utc = this.utc.peek()): void {
    this.time.value = time;
    this.utc.value = utc;
    this.write();
  }

  /** Give the details so many percent of the height. */
  divide(percent: number): void {
    const detail = Math.round(Math.min(MOST_DETAIL, Math.max(LEAST_DETAIL, percent)));
    if (detail === this.detail.peek()) return;
    this.detail.value = detail;
    this.write();
  }

  /** Remember that a layer was opened or folded. */
  fold(name: string, isOpen: boolean): void {
    const folds = new Map(this.folds.peek());
    folds.delete(name);
    folds.set(name, isOpen);
    this.folds.value = new Map([...folds].slice(-MOST_FOLDS));
    this.write();
  }

  /** Show a column or hide it. The last one stays. */
  toggle(id: string): void {
    const now = this.columns.peek();
    const isLast = now.filter((one) => one.shown).length === 1;
    if (isLast && now.find((one) => one.id === id)?.shown) return;
    this.change(id, (one) => ({ ...one, shown: !one.shown }));
  }

  /** Move a column by so many places. */
  move(id: string, step: number): void {
    const columns = [...this.columns.peek()];
    const from = columns.findIndex((one) => one.id === id);
    const to = Math.min(Math.max(from + step, 0), columns.length - 1);
    const [moved] = columns.splice(from, 1);
    if (moved === undefined) return;
    columns.splice(to, 0, moved);
    this.set(columns);
  }

  /** Give a column a width in pixels; null gives it its own again. */
  resize(id: string, width: number | null): void {
    const fitting = width && Math.round(Math.min(Math.max(width, NARROWEST), WIDEST));
    this.change(id, (one) => ({ ...one, width: fitting }));
  }

  /** Add a field as a column, before the last one. Returns why not, or "". */
  add(id: string, label: string): string {
    const columns = [...this.columns.peek()];
    if (columns.some((one) => one.id === id)) {
      this.change(id, (one) => ({ ...one, shown: true }));
      return "";
    }
    if (columns.length >= MOST_COLUMNS) return `The table has ${MOST_COLUMNS} columns already.`;
    const last = columns.at(-1)?.id === "info" ? columns.length - 1 : columns.length;
    columns.splice(last, 0, { ...own([id, label]), isField: true });
    this.set(columns);
    return "";
  }

  /** Take a column that was added away. */
  remove(id: string): void {
    this.set(this.columns.peek().filter((one) => one.id !== id || !one.isField));
  }

  /** Have the columns as they were at first. */
  reset(): void {
    this.set(OWN.map(own));
  }

  private change(id: string, changed: (column: Column) => Column): void {
    this.set(this.columns.peek().map((one) => (one.id === id ? changed(one) : one)));
  }

  private set(columns: readonly Column[]): void {
    this.columns.value = columns;
    this.write();
  }

  private write(): void {
    const [columns, time, utc] = [this.columns.peek(), this.time.peek(), this.utc.peek()];
    const folds = [...this.folds.peek()];
    const kept: Kept = { columns, time, utc, folds, detail: this.detail.peek() };
    this.store.setItem(KEY, JSON.stringify(kept));
  }
}

/** Return the fields that a column shows, also where its name stands for several. */
export function fieldsOfColumn(fields: readonly Field[], id: string): Field[] {
  return (fieldOf(id)?.parts ?? [id]).flatMap((name) => fieldsOf(fields, name));
}

/** Return why a name that was typed is no column, with the nearest one; "" where it is one. */
export function columnRule(name: string): string {
  if (!/^[\w.-]+$/.test(name)) return "Enter the name of a field, for example tcp.stream.";
  const field = fieldOf(name);
  if (field !== undefined && NO_COLUMN.test(field.name)) {
    return `A filter can ask for ${field.name}, but a column cannot show it.`;
  }
  if (field !== undefined) return "";
  const near = meant(name.toLowerCase());
  return `There is no field "${name}"${near === undefined ? "." : `; did you mean ${near}?`}`;
}

function read(store: Store): Kept {
  try {
    return (JSON.parse(store.getItem(KEY) ?? "{}") as Kept | null) ?? {};
  } catch {
    return {};
  }
}

/** Return the columns that were kept; what is wrong is left out, what is missing comes last. */
function columnsOf(kept: readonly unknown[]): readonly Column[] {
  const found = new Map<string, Column>();
  for (const one of kept.slice(0, MOST_COLUMNS) as readonly (Partial<Column> | null)[]) {
    const { id, label, width, shown } = one ?? {};
    if (typeof id !== "string" || typeof label !== "string") continue;
    const mine = OWN.find(([name]) => name === id);
    const size = typeof width === "number" && width >= NARROWEST && width <= WIDEST ? width : null;
    const known = own(mine ?? [id, label]);
    found.set(id, { ...known, width: size, shown: shown !== false, isField: mine === undefined });
  }
  for (const one of OWN) if (!found.has(one[0])) found.set(one[0], own(one));
  const all = [...found.values()];
  return all.some((one) => one.shown) ? all : OWN.map(own);
}

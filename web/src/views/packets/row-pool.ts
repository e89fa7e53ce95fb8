/**
 * The rows on screen: a few DOM rows used again for whatever is to be seen.
 *
 * Not a component: at thousands of packets a second every frame shows other ones, and nothing but
 * the text of cells may change then.
 */

import {
  protocolClass,
  type RowText,
  relativeInfo,
  rowText,
  timeText,
} from "../../models/packet-text";
import { TINTS, tintOf } from "../../models/packet-tint";
import type { PacketTools } from "../../models/packet-tools";
import { type Column, fieldsOfColumn } from "../../models/table-layout";
import { scrollToShow, visibleRange } from "../../models/window";
import type { Field } from "../../packet/dissection";
import { WAYS } from "../ui/Direction";

const SIGNS = new Map<string, string>(TINTS.map(({ id, sign }) => [id, `${sign} `]));

class Row {
  readonly element = document.createElement("div");
  private readonly texts: Text[] = [];
  /** The number of the row it shows; -1 while it shows none. */
  number = -1;
  private index = -1;
  private className = "";
  /** What it shows, so that a row that stays is not written again. */
  private shown = "";

  constructor(
    index: number,
    private readonly columns: readonly Column[],
  ) {
    this.element.id = `packet-row-${index}`;
    this.element.role = "row";
    for (const [column, { id, isField }] of columns.entries()) {
      const cell = document.createElement("div");
      cell.className = isField ? "cell field" : `cell ${id}`;
      cell.role = "gridcell";
      cell.ariaColIndex = String(column + 1);
      const text = document.createTextNode("");
      cell.append(text);
      this.texts.push(text);
      this.element.append(cell);
    }
  }

  show(tools: PacketTools, index: number, row: number): void {
    // In a full ring whose end is followed, only the text changes.
    if (index !== this.index) this.element.ariaRowIndex = String(index + 2);
    this.index = index;
    const { table, layout, picked, marked } = tools;
    const { ring, engine } = table.capture;
    const isCurrent = table.selected.value?.row === row;
    const isPicked = picked.has(row);
    const isMarked = marked.has(row);
    const [format, utc] = [layout.time.value, layout.utc.value];
    const since = table.since(index, format);
    const prefix = engine.prefix(row);
    const number = table.numberOf(row);
    const state = `${isCurrent} ${isPicked} ${isMarked} ${format} ${utc}`;
    const notes = engine.notes(row);
    const said = notes?.map(({ value }) => value).join();
    // The rows of another adapter have the same numbers.
    const shown = table.capture.generation.peek();
    const place = `${shown} ${row} ${number} ${engine.begins(row)}`;
    const key = `${place} ${state} ${since} ${prefix} ${said}`;
    if (key === this.shown) return;
    this.shown = key;
    this.number = row;
    const text = rowText(table.capture, row);
    const isLost = text.kind === "loss";
    const tint = text.decoded && tintOf(text.decoded, prefix);
    const sign = SIGNS.get(tint ?? "") ?? "";
    const info = `${sign}${prefix}${relativeInfo(text.info, notes)}`;
    const time = timeText(ring.timeNs(row), format, since, utc);
    const called = isLost ? "" : `${isMarked ? "★ " : ""}${number}`;
    const values = { ...text, number: called, time, direction: directionOf(text), info };
    for (const [column, { id, isField }] of this.columns.entries()) {
      const node = this.texts[column];
      const value = isField
        ? fieldText(text, notes ?? NONE, id)
        : ((values as unknown as Record<string, string>)[id] ?? "");
      if (node !== undefined && node.data !== value) node.data = value;
    }
    const isSelected = isCurrent || isPicked;
    this.style(
      `row is-${text.kind} p-${protocolClass(text.protocol)}${tint ? ` tint-${tint}` : ""}${
        isSelected ? " selected" : ""
      }${isCurrent ? " current" : ""}${isMarked ? " starred" : ""}`,
    );
    this.element.ariaSelected = String(isSelected);
  }

  hide(): void {
    this.shown = "";
    this.number = -1;
    this.style("row hidden");
  }

  private style(name: string): void {
    if (name === this.className) return;
    this.className = name;
    this.element.className = name;
  }
}

const NONE: readonly Field[] = [];

function fieldText({ decoded }: RowText, notes: readonly Field[], name: string): string {
  const found = fieldsOfColumn([...notes, ...(decoded?.layers ?? [])], name);
  return found.map(({ text, label }) => text || label).join(", ");
}

/** "→ From host", "← To host". */
function directionOf({ kind }: RowText): string {
  if (kind === "loss") return "Lost";
  if (kind === "unknown") return "";
  const { arrow, label } = WAYS[kind];
  return `${arrow} ${label}`;
}

export class RowPool {
  private readonly pool: Row[] = [];
  private readonly rows = document.createElement("div");
  private readonly spacer = document.createElement("div");
  private columns: readonly Column[] = [];
  /** Height of a row in pixels; the style sheet sets it. */
  private rowHeight = 22;
  private viewport = 0;
  private height = -1;
  private top = -1;
  /** Row number at the top of the view, so that it stays there when older ones go. */
  private anchor = -1;
  /** Pixels of the view's top below that of the anchor. */
  private offset = 0;
  /** Where `draw` left the view; elsewhere it is after somebody moved it. */
  private placed = 0;
  /** Of the ring that was drawn. */
  private identity: object | null = null;
  private readonly resized: ResizeObserver;

  constructor(
    private readonly tools: PacketTools,
    private readonly grid: HTMLElement,
    private readonly scroller: HTMLElement,
  ) {
    this.spacer.className = "spacer";
    this.rows.className = "rows";
    this.rows.role = "rowgroup";
    this.spacer.append(this.rows);
    scroller.append(this.spacer);
    const head = scroller.querySelector<HTMLElement>(".head");
    this.resized = new ResizeObserver(() => {
      const row = getComputedStyle(scroller).getPropertyValue("--row");
      this.rowHeight = Number.parseFloat(row);
      // The head stays on top of the rows.
      this.viewport = scroller.clientHeight - (head?.offsetHeight ?? 0);
      this.draw();
    });
    this.resized.observe(scroller);
  }

  /** Show these columns from now on. */
  arrange(columns: readonly Column[]): void {
    const names = (all: readonly Column[]): string => all.map(({ id }) => id).join();
    if (names(columns) === names(this.columns)) return;
    this.columns = columns;
    this.pool.length = 0;
    this.rows.replaceChildren();
    this.draw();
  }

  /** Show what the model has now. Once a frame. */
  draw(): void {
    const { scroller, viewport } = this;
    const model = this.tools.table;
    if (viewport <= 0) return;
    const { rows } = model;
    const total = rows.count;
    const height = total * this.rowHeight;
    const top = this.wantedTop(height);
    if (height !== this.height) {
      this.height = height;
      this.spacer.style.height = `${height}px`;
      this.grid.ariaRowCount = String(total + 1);
    }
    if (Math.abs(top - scroller.scrollTop) >= 1) scroller.scrollTop = top;
    this.placed = scroller.scrollTop;
    const shown = visibleRange(top, viewport, this.rowHeight, total);
    if (shown.top !== this.top) {
      this.top = shown.top;
      this.rows.style.transform = `translateY(${shown.top}px)`;
    }
    // At the top, what a filter still finds comes in above.
    const isGrowing = top === 0 && model.capture.engine.pending > 0;
    this.anchor = isGrowing ? -1 : rows.at(shown.first);
    this.offset = this.placed - shown.top;
    while (this.pool.length < shown.count) {
      const row = new Row(this.pool.length, this.columns);
      this.pool.push(row);
      this.rows.append(row.element);
    }
    let active = "";
    for (const [place, row] of this.pool.entries()) {
      const index = shown.first + place;
      if (place >= shown.count) {
        row.hide();
        continue;
      }
      const number = rows.at(index);
      row.show(this.tools, index, number);
      if (model.selected.value?.row === number) active = row.element.id;
    }
    if (active) this.grid.setAttribute("aria-activedescendant", active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Write again what is on screen, where more is known of it now. */
  refresh(): void {
    const { rows, capture } = this.tools.table;
    for (const row of this.pool) {
      const { number } = row;
      if (number >= 0 && capture.ring.has(number)) {
        row.show(this.tools, rows.indexOf(number), number);
      }
    }
  }

  /** Bring the selected row into view, or into its middle. */
  reveal(isCentred = false): void {
    const model = this.tools.table;
    const selected = model.selected.peek();
    if (selected === null) return;
    if (isCentred) this.draw(); // with another filter the rows lie elsewhere
    const index = model.rows.indexOf(selected.row);
    const { scrollTop } = this.scroller;
    const middle = Math.max(0, (index + 0.5) * this.rowHeight - this.viewport / 2);
    const top = isCentred ? middle : scrollToShow(index, scrollTop, this.viewport, this.rowHeight);
    if (top !== scrollTop) {
      this.scroller.scrollTop = top;
      this.anchor = -1;
      // At the end that is followed, the scroll itself leaves it.
      if (!this.isAtEnd) this.draw();
    }
  }

  /** The number of the row that an element is part of; -1 elsewhere. */
  rowOf(element: Element): number {
    return this.pool.find((row) => row.element.contains(element))?.number ?? -1;
  }

  /** The DOM row of the selected packet, when it is in view. */
  get current(): HTMLElement | null {
    return this.rows.querySelector(".current");
  }

  /** Whole rows that fit. */
  get page(): number {
    return Math.max(1, Math.floor(this.viewport / this.rowHeight) - 1);
  }

  /** Say that the user moved the view: leave the end, or come back to it. */
  scrolled(): void {
    const { scrollTop } = this.scroller;
    // The scroll that `draw` causes comes a frame later, and rows may have gone since.
    if (Math.abs(scrollTop - this.placed) < 1) return;
    if (!this.isAtEnd) this.draw();
    else if (scrollTop + this.viewport < this.height - this.rowHeight) {
      this.tools.table.follow(false);
    }
  }

  dispose(): void {
    this.resized.disconnect();
    this.spacer.remove();
  }

  /** Whether the view stays at the end, where new rows come. */
  private get isAtEnd(): boolean {
    const { following, paused } = this.tools.table;
    return following.peek() && !paused.peek();
  }

  /** Where the view belongs in rows of that height; before they have it. */
  private wantedTop(height: number): number {
    const { scrollTop } = this.scroller;
    const model = this.tools.table;
    const end = Math.max(0, height - this.viewport);
    const { identity } = model.capture.ring;
    const isOther = identity !== this.identity;
    this.identity = identity;
    if (this.isAtEnd) return end;
    if (isOther) return 0;
    const moved = scrollTop - this.placed;
    const isMoved = Math.abs(moved) >= 1;
    const isLast = isMoved && scrollTop >= this.height - this.viewport - 1;
    if (this.anchor < 0 || isLast) return Math.min(scrollTop, end);
    // Moved from what was drawn, of which rows may have gone since.
    const place = model.rows.indexOf(this.anchor) * this.rowHeight + this.offset;
    return Math.min(Math.max(0, place + (isMoved ? moved : 0)), end);
  }
}

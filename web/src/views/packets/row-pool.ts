/**
 * The rows on screen: a few DOM rows used again for whatever is to be seen.
 *
 * Not a component: at thousands of packets a second every frame shows other ones, and nothing but
 * the text of cells may change then.
 */

import type { PacketTableModel } from "../../models/packet-table";
import { protocolClass, rowText, timeText } from "../../models/packet-text";
import { scrollToShow, visibleRange } from "../../models/window";
import { COLUMNS, type ColumnName } from "./columns";

class Row {
  readonly element = document.createElement("div");
  private readonly texts: Text[] = [];
  /** The number of the row it shows; -1 while it shows none. */
  number = -1;
  private index = -1;
  private className = "";
  /** What it shows, so that a row that stays is not written again. */
  private shown = "";

  constructor(index: number) {
    this.element.id = `packet-row-${index}`;
    this.element.role = "row";
    for (const [column, [name]] of COLUMNS.entries()) {
      const cell = document.createElement("div");
      cell.className = `cell ${name}`;
      cell.role = "gridcell";
      cell.ariaColIndex = String(column + 1);
      const text = document.createTextNode("");
      cell.append(text);
      this.texts.push(text);
      this.element.append(cell);
    }
  }

  show(model: PacketTableModel, index: number, row: number): void {
    // In a full ring whose end is followed, only the text changes.
    if (index !== this.index) this.element.ariaRowIndex = String(index + 2);
    this.index = index;
    const { ring } = model.capture;
    const selected = model.selected.value?.row === row;
    const format = model.timeFormat.value;
    const since = model.since(index);
    const key = `${row} ${model.numberOf(row)} ${selected} ${format} ${since}`;
    if (key === this.shown) return;
    this.shown = key;
    this.number = row;
    const { kind, source, destination, protocol, length, info } = rowText(ring, row);
    const lost = kind === "loss";
    const time = timeText(ring.timeNs(row), format, since);
    const number = lost ? "" : String(model.numberOf(row));
    const direction = lost ? "lost" : kind;
    const values = { number, time, direction, source, destination, protocol, length, info };
    for (const [column, [name]] of COLUMNS.entries()) {
      const text = this.texts[column];
      const value = (values satisfies Record<ColumnName, string>)[name];
      if (text !== undefined && text.data !== value) text.data = value;
    }
    this.style(`row is-${kind} p-${protocolClass(protocol)}${selected ? " selected" : ""}`);
    this.element.ariaSelected = String(selected);
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

export class RowPool {
  private readonly pool: Row[] = [];
  private readonly rows = document.createElement("div");
  private readonly spacer = document.createElement("div");
  /** Height of a row in pixels; the style sheet sets it. */
  private readonly rowHeight: number;
  private viewport = 0;
  private height = -1;
  private top = -1;
  /** Row number at the top of the view, so that it stays there when older ones go. */
  private anchor = -1;
  private readonly resized: ResizeObserver;

  constructor(
    private readonly model: PacketTableModel,
    private readonly grid: HTMLElement,
    private readonly scroller: HTMLElement,
  ) {
    this.spacer.className = "spacer";
    this.rows.className = "rows";
    this.rows.role = "rowgroup";
    this.spacer.append(this.rows);
    scroller.append(this.spacer);
    this.rowHeight = Number.parseFloat(getComputedStyle(scroller).getPropertyValue("--row"));
    const head = scroller.querySelector<HTMLElement>(".head");
    this.resized = new ResizeObserver(() => {
      // The head stays on top of the rows.
      this.viewport = scroller.clientHeight - (head?.offsetHeight ?? 0);
      this.draw();
    });
    this.resized.observe(scroller);
  }

  /** Show what the model has now. Once a frame. */
  draw(): void {
    const { model, scroller, viewport } = this;
    if (viewport === 0) return;
    const { rows } = model;
    const total = rows.count;
    const height = total * this.rowHeight;
    if (height !== this.height) {
      this.height = height;
      this.spacer.style.height = `${height}px`;
      this.grid.ariaRowCount = String(total + 1);
    }
    const top = this.wantedTop(height);
    if (Math.abs(top - scroller.scrollTop) >= 1) scroller.scrollTop = top;
    const shown = visibleRange(top, viewport, this.rowHeight, total);
    if (shown.top !== this.top) {
      this.top = shown.top;
      this.rows.style.transform = `translateY(${shown.top}px)`;
    }
    this.anchor = rows.at(shown.first);
    while (this.pool.length < shown.count) {
      const row = new Row(this.pool.length);
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
      row.show(model, index, number);
      if (model.selected.value?.row === number) active = row.element.id;
    }
    if (active) this.grid.setAttribute("aria-activedescendant", active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Bring the selected row into view. */
  reveal(): void {
    const selected = this.model.selected.peek();
    if (selected === null) return;
    const index = this.model.rows.indexOf(selected.row);
    const { scrollTop } = this.scroller;
    const top = scrollToShow(index, scrollTop, this.viewport, this.rowHeight);
    if (top !== scrollTop) {
      this.scroller.scrollTop = top;
      this.anchor = -1;
    }
  }

  /** The number of the row that an element is part of; -1 elsewhere. */
  rowOf(element: Element): number {
    return this.pool.find((row) => row.element.contains(element))?.number ?? -1;
  }

  /** Whole rows that fit. */
  get page(): number {
    return Math.max(1, Math.floor(this.viewport / this.rowHeight) - 1);
  }

  /** Say that the user moved the view: leave the end, or come back to it. */
  scrolled(): void {
    const { scroller, model } = this;
    const atEnd = scroller.scrollTop + this.viewport >= this.height - this.rowHeight;
    this.anchor = -1;
    if (model.following.peek() && !atEnd) model.follow(false);
    else this.draw();
  }

  dispose(): void {
    this.resized.disconnect();
    this.spacer.remove();
  }

  private wantedTop(height: number): number {
    const { model, scroller } = this;
    const end = Math.max(0, height - this.viewport);
    if (model.following.peek() && !model.paused.peek()) return end;
    const { scrollTop } = scroller;
    if (this.anchor < 0) return Math.min(scrollTop, end);
    const place = model.rows.indexOf(this.anchor);
    return Math.min(place * this.rowHeight + (scrollTop % this.rowHeight), end);
  }
}

/** What the packet table shows: filter, follow and pause, the selection, and one frame at a time. */

import { signal } from "@preact/signals";
import { FilterError } from "../filter/lexer";
import { compileFilter } from "../filter/parser";
import { decode } from "../packet/decode";
import type { Dissection } from "../packet/dissection";
import { type CapturedPacket, pcapng } from "../wire/pcapng";
import type { CaptureModel } from "./capture";
import type { FilteredRows } from "./filtered-rows";
import { wholeOf } from "./numbers";
import { LOSS } from "./packet-ring";
import { rowText, type TimeFormat } from "./packet-text";
import { count } from "./units";

/** A packet that was selected: a copy, so that it stays when the ring drops it. */
export interface SelectedPacket extends CapturedPacket {
  readonly row: number;
  readonly sequence: number;
  readonly decoded: Dissection;
}

/**
 * More new rows than this between two drawings are a blur, which a few drawings a second show. Each
 * is drawn twice, since what is known of its rows comes a moment later.
 */
const BLUR_ROWS = 32;
const BLUR_PERIOD = 150; // milliseconds
/** Rows whose addresses are suggested. */
const LOOK_BACK = 64;
/** Characters that are repeated of what is no number. */
const LONGEST = 20;
/** More than any number of a packet. */
const MOST = 1e15;

export class PacketTableModel {
  /** Goes up once a frame in which something changed. */
  readonly version = signal(0);
  readonly filterText = signal("");
  readonly filterError = signal<FilterError | null>(null);
  readonly following = signal(true);
  readonly paused = signal(false);
  readonly selected = signal<SelectedPacket | null>(null);
  /** Goes up when the selected row should be brought into view. */
  readonly revealed = signal(0);
  readonly rows: FilteredRows;

  /** Selected of each ring, as long as it is kept. */
  private readonly chosen = new WeakMap<object, number>();
  /** Whether the selection is brought into view once the filter has looked at every row. */
  private isRevealing = false;
  private scheduled = false;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private drawnAt = 0;
  private drawnEnd = 0;

  /** `schedule` runs a function before the next frame is drawn: requestAnimationFrame. */
  constructor(
    readonly capture: CaptureModel,
    private readonly schedule: (frame: () => void) => void,
  ) {
    this.rows = capture.engine.rows;
    capture.onChange = capture.engine.onChange = () => this.request();
    capture.engine.version.subscribe(() => this.decodeAgain());
    let shown: object | null = null;
    capture.generation.subscribe(() => {
      const { identity } = capture.ring;
      if (identity === shown) return;
      shown = identity;
      this.select(this.chosen.get(identity) ?? -1);
      this.pause(false);
      this.isRevealing = this.selected.peek() !== null;
      // A file is read from its first packet on.
      if (this.isRevealing || capture.file.peek() !== null) this.following.value = false;
    });
  }

  /** The number of a row as the table shows it, from 1. */
  numberOf(row: number): number {
    return row - this.capture.ring.base + 1;
  }

  /** Say that the next frame should be drawn. */
  invalidate(): void {
    this.drawnAt = 0;
    if (this.rest !== undefined) this.wake();
    this.request();
  }

  /** Filter what is there and what comes; what cannot be understood leaves the old filter. */
  filter(text: string): void {
    this.filterText.value = text;
    try {
      compileFilter(text);
      this.filterError.value = null;
      this.capture.engine.filter(text);
      this.isRevealing = this.selected.peek() !== null;
      this.invalidate();
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.filterError.value = error;
    }
  }

  /** Freeze the rows, or let them move on; packets keep coming meanwhile. */
  pause(paused: boolean): void {
    this.paused.value = paused;
    this.capture.hold(paused);
    this.rows.limit = paused ? this.capture.ring.end : Number.POSITIVE_INFINITY;
    if (!paused) this.following.value = true;
    this.invalidate();
  }

  follow(following: boolean): void {
    if (following && this.paused.value) this.pause(false);
    this.following.value = following;
    this.invalidate();
  }

  clear(): void {
    this.capture.clear();
    this.select(-1);
    this.invalidate();
  }

  /** Select a row by its number; one that is not there selects none. */
  select(row: number): void {
    const { ring } = this.capture;
    this.chosen.set(ring.identity, row);
    if (!ring.has(row) || ring.kind(row) === LOSS) {
      this.selected.value = null;
      return;
    }
    const bytes = ring.packet(row).slice();
    const originalLength = ring.originalLength(row);
    this.selected.value = {
      row,
      bytes,
      originalLength,
      timeNs: ring.timeNs(row),
      injected: ring.captured(row).injected,
      sequence: ring.sequence(row),
      decoded: decode(bytes, originalLength, this.capture.engine.begins(row)),
    };
  }

  /** Select a packet by its number, and bring it into view. Returns why not, or "". */
  async goTo(text: string): Promise<string> {
    const digits = text.replaceAll(/\s/g, "");
    if (digits === "") return "Enter the number of a packet.";
    const number = wholeOf(digits);
    if (!(number >= 1 && number < MOST)) {
      return `“${text.slice(0, LONGEST)}” is not a packet number. Packet numbers start at 1.`;
    }
    const shown = count(number);
    const { ring, file } = this.capture;
    const row = number - this.numberOf(0);
    if (row >= ring.end) {
      const last =
        ring.end > ring.base ? `the last one is ${count(this.numberOf(ring.end - 1))}` : "";
      if (file.peek() !== null) return `The file has no packet ${shown}${last && `: ${last}`}.`;
      return `There is no packet ${shown} yet: ${last || "no packet has arrived so far"}.`;
    }
    if (row < ring.first) return `Packet ${shown} is no longer kept: newer ones took its place.`;
    if (ring.kind(row) === LOSS) return `Row ${shown} marks missing packets.`;
    this.follow(false);
    this.select(row);
    if (row >= this.rows.limit) {
      return `Packet ${shown} came after the pause; its details are shown below.`;
    }
    const isShown = (): boolean => this.rows.at(this.rows.indexOf(row)) === row;
    // A filter that was just set has not looked at it.
    if (!isShown()) await this.capture.engine.settled();
    if (this.selected.peek()?.row !== row) return "";
    if (!isShown()) return `The filter hides packet ${shown}; its details are shown below.`;
    this.revealed.value++;
    return "";
  }

  /** Decode the selected packet by what the worker has just said of it. */
  private decodeAgain(): void {
    const selected = this.selected.peek();
    if (selected === null || !this.capture.ring.has(selected.row)) return;
    const { row, bytes, originalLength, decoded } = selected;
    const begins = this.capture.engine.begins(row);
    if (begins === decoded.begins) return;
    this.selected.value = { ...selected, decoded: decode(bytes, originalLength, begins) };
  }

  /** Move the selection by rows that are shown, past losses. */
  move(step: number): void {
    const { rows, capture } = this;
    const { count } = rows;
    if (count === 0) return;
    const current = this.selected.value;
    // Without a selection the first step comes from outside, so that it lands on an end.
    const from = current === null ? (step > 0 ? -1 : count) : rows.indexOf(current.row);
    const wanted = Math.min(Math.max(from + step, 0), count - 1);
    const isLoss = (at: number): boolean => capture.ring.kind(rows.at(at)) === LOSS;
    const onwards = Math.sign(step) || 1;
    let index = wanted;
    while (index >= 0 && index < count && isLoss(index)) index += onwards;
    if (index < 0 || index >= count) index = wanted;
    while (index >= 0 && index < count && isLoss(index)) index -= onwards;
    if (index < 0 || index >= count) return;
    this.following.value = false;
    this.select(rows.at(index));
    this.invalidate();
  }

  /** Addresses among the rows at the end, for whoever types a filter. */
  addresses(): string[] {
    const { rows, capture } = this;
    const found = new Set<string>();
    for (let index = rows.count - 1; index >= Math.max(0, rows.count - LOOK_BACK); index--) {
      const { source, destination } = rowText(capture, rows.at(index));
      for (const address of [source, destination]) if (address) found.add(address);
    }
    return [...found].sort();
  }

  /** The time that a row's is counted from: the first row's, or that of the one before it. */
  since(index: number, format: TimeFormat): bigint {
    if (format !== "start" && format !== "previous") return 0n;
    const { rows, capture } = this;
    const from = format === "start" ? 0 : Math.max(0, index - 1);
    return rows.count > 0 ? capture.ring.timeNs(rows.at(from)) : 0n;
  }

  /** Return packets as a capture file: those of the rows that are named, or all that are shown. */
  async save(rows?: readonly number[]): Promise<Blob> {
    if (rows === undefined) await this.capture.engine.settled();
    const { file, hello } = this.capture;
    const name = file.peek()?.name ?? hello.peek()?.adapter.name ?? "wintun";
    return new Blob(pcapng(name, this.packets(rows)), { type: "application/x-pcapng" });
  }

  private *packets(wanted?: readonly number[]): Generator<CapturedPacket> {
    const { rows, capture } = this;
    for (let index = 0; index < (wanted?.length ?? rows.count); index++) {
      const row = wanted === undefined ? rows.at(index) : (wanted[index] ?? -1);
      if (capture.ring.has(row) && capture.ring.kind(row) !== LOSS) {
        yield capture.ring.captured(row);
      }
    }
  }

  private request(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => this.frame());
  }

  /** Come back from the rest between two drawings of a blur. */
  private wake(): void {
    clearTimeout(this.rest);
    this.rest = undefined;
    this.scheduled = false;
    this.request();
  }

  private frame(): void {
    const now = performance.now();
    const { end } = this.capture.ring;
    const rest = this.drawnAt + BLUR_PERIOD - now;
    if (end - this.drawnEnd > BLUR_ROWS && rest > 0) {
      this.rest = setTimeout(() => this.wake(), rest);
      return;
    }
    this.scheduled = false;
    this.drawnAt = now;
    this.drawnEnd = end;
    this.version.value++;
    if (this.isRevealing && this.capture.engine.pending === 0) {
      this.isRevealing = false;
      this.revealed.value++;
    }
  }
}

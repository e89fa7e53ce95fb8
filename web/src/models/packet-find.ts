/** Find the next packet that has a text, bytes, or passes a filter, among those that are shown. */

import { signal } from "@preact/signals";
import { compileFilter } from "../filter/parser";
import { PacketSubject } from "../filter/subject";
import { findText } from "../packet/bytes";
import { parseHex } from "../packet/hex";
import { LOSS } from "./packet-ring";
import type { PacketTableModel } from "./packet-table";
import { rowText } from "./packet-text";

export type FindKind = "text" | "hex" | "filter" | "number";

/** Milliseconds of searching before the page may draw. */
const TURN = 8;
/** Rows between two looks at the clock. */
const SLICE = 64;

type Matches = (row: number) => boolean;

export class FindModel {
  readonly isOpen = signal(false);
  /** Goes up when the search is asked for, also while it is open. */
  readonly asked = signal(0);
  readonly kind = signal<FindKind>("text");
  readonly text = signal("");
  /** What came of it, or what is wrong with what was typed. */
  readonly message = signal("");
  readonly isWrong = signal(false);
  private turn = 0;

  constructor(
    private readonly table: PacketTableModel,
    /** Lets the page draw. */
    private readonly pause: () => Promise<void>,
  ) {}

  /** Open the search for this kind. */
  open(kind?: FindKind): void {
    if (kind !== undefined && kind !== this.kind.peek()) {
      this.kind.value = kind;
      this.text.value = "";
    } else if (kind === undefined && this.kind.peek() === "number") this.kind.value = "text";
    this.isOpen.value = true;
    this.asked.value++;
  }

  close(): void {
    this.cancel();
    this.isOpen.value = false;
  }

  /** Select the next packet that fits, or the one before; goes on at the other end. */
  async find(step: 1 | -1): Promise<void> {
    const turn = ++this.turn;
    if (this.kind.peek() === "number") {
      const why = await this.table.goTo(this.text.peek());
      if (turn === this.turn) this.say(why, why !== "");
      return;
    }
    let matches: Matches;
    try {
      matches = this.matcher();
    } catch (error) {
      this.say((error as Error).message, true);
      return;
    }
    const { rows, capture } = this.table;
    const current = this.table.selected.peek();
    const from = current === null ? (step > 0 ? -1 : rows.count) : rows.indexOf(current.row);
    const { count } = rows;
    let until = performance.now() + TURN;
    for (let done = 1; done <= count; done++) {
      const index = (((from + step * done) % count) + count) % count;
      const row = rows.at(index);
      if (capture.ring.has(row) && capture.ring.kind(row) !== LOSS && matches(row)) {
        const isOver = step > 0 ? index <= from : index >= from && from >= 0;
        this.found(row, isOver, step);
        return;
      }
      if (done % SLICE === 0 && performance.now() > until) {
        this.say("Searching…");
        await this.pause();
        if (turn !== this.turn) return;
        until = performance.now() + TURN;
      }
    }
    this.say("Not found in the packets that are shown.");
  }

  /** Stop a search that runs, and forget what came of it. */
  cancel(): void {
    this.turn++;
    this.say("");
  }

  private found(row: number, isOver: boolean, step: number): void {
    const { table } = this;
    table.follow(false);
    table.select(row);
    table.revealed.value++;
    const end = step > 0 ? "start" : "end";
    const over = isOver ? `, continued from the ${end}` : "";
    this.say(`Packet ${table.numberOf(row).toLocaleString("en")}${over}`);
  }

  private say(message: string, isWrong = false): void {
    this.message.value = message;
    this.isWrong.value = isWrong;
  }

  /** Return the test for what was typed. Throws an Error with a sentence for what is none. */
  private matcher(): Matches {
    const text = this.text.peek();
    if (text.trim() === "") throw new Error("Enter what to find.");
    switch (this.kind.peek()) {
      case "hex": {
        const bytes = parseHex(text);
        return (row) => has(this.table.capture.ring.packet(row), bytes);
      }
      case "filter":
        return this.byFilter(text);
      default:
        return this.byText(text);
    }
  }

  private byText(text: string): Matches {
    const { capture } = this.table;
    const wanted = text.toLowerCase();
    const needle = new TextEncoder().encode(wanted);
    return (row) => {
      const bytes = capture.ring.packet(row);
      if (findText(bytes, 0, bytes.length, needle) >= 0) return true;
      const { source, destination, protocol, info } = rowText(capture, row);
      const prefix = capture.engine.prefix(row);
      return `${source} ${destination} ${protocol} ${prefix}${info}`.toLowerCase().includes(wanted);
    };
  }

  private byFilter(text: string): Matches {
    const { ring, engine } = this.table.capture;
    const filter = compileFilter(text);
    const subject = new PacketSubject({
      timeNs: (row) => ring.timeNs(row),
      previousNs: (row) => ring.timeNs(Math.max(row - 1, ring.first)),
      originNs: () => ring.timeNs(ring.first),
      notes: (row) => engine.notes(row) ?? [],
      record: (row) => engine.notes(row) ?? [],
      begins: (row) => engine.begins(row),
    });
    return (row) => {
      ring.read(row, subject.headers);
      subject.point(row, this.table.numberOf(row));
      return filter?.test(subject) ?? true;
    };
  }
}

function has(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}

/** The table of packets: a frame of columns around recycled rows, and the keys that move in it. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { rowText, timeText } from "../../models/packet-text";
import type { PacketTools } from "../../models/packet-tools";
import { type Column, fieldsOfColumn } from "../../models/table-layout";
import type { Field } from "../../packet/dissection";
import { useDashboard } from "../context";
import { Menu, type MenuItem, useMenu } from "../ui/Menu";
import { copyAndSay, fieldItems, filterItems } from "./actions";
import { follow, waysOf } from "./PacketDetail";
import { RowPool } from "./row-pool";
import { TableHead } from "./TableHead";
import { useTools } from "./tools";

/** Widths of the table's own columns; those of fields are like addresses. */
const WIDTHS: Readonly<Record<string, string>> = {
  number: "var(--w-number)",
  time: "var(--w-time)",
  direction: "var(--w-direction)",
  source: "var(--w-address)",
  destination: "var(--w-address)",
  protocol: "var(--w-protocol)",
  length: "var(--w-length)",
  info: "minmax(8rem, 1fr)",
};

interface Props {
  readonly onEnter: () => void;
  /** A packet was clicked by itself. */
  readonly onClick: () => void;
}

export function PacketTable({ onEnter, onClick: onPick }: Props) {
  const dashboard = useDashboard();
  const { notices } = dashboard;
  const tools = useTools();
  const { table, layout, picked, marked } = tools;
  const { engine } = table.capture;
  const grid = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const pool = useRef<RowPool | null>(null);
  /** The row under the last press; -1 for none. */
  const pressed = useRef(-1);
  const { menu, open } = useMenu();
  const columns = columnsOf(tools);

  useEffect(() => {
    if (grid.current === null || scroller.current === null) return;
    const made = new RowPool(tools, grid.current, scroller.current);
    pool.current = made;
    table.invalidate();
    return () => made.dispose();
  }, [tools, table]);
  useSignalEffect(() => {
    pool.current?.arrange(columnsOf(tools));
  });
  useSignalEffect(() => {
    void [table.version.value, table.selected.value, layout.time.value, layout.utc.value];
    void [picked.version.value, marked.version.value];
    pool.current?.draw();
  });
  // In a blur the next drawing shows other rows already.
  useSignalEffect(() => {
    if (engine.version.value > 0) pool.current?.refresh();
  });
  useSignalEffect(() => {
    if (table.revealed.value > 0) pool.current?.reveal(true);
  });

  const move = (step: number, isRange: boolean): void => {
    const from = table.selected.peek()?.row ?? -1;
    table.move(step);
    const to = table.selected.peek()?.row ?? -1;
    if (isRange && to >= 0) picked.extend(to, from < 0 ? to : from, table.rows);
    else picked.clear(to);
    pool.current?.reveal();
  };
  /** The rows that are selected. */
  const wanted = (): readonly number[] => {
    const rows = picked.list();
    const current = table.selected.peek()?.row;
    return rows.length > 0 || current === undefined ? rows : [current];
  };
  const mark = (): void => {
    const rows = wanted();
    marked.put(rows, !rows.every((row) => marked.has(row)));
  };
  const copyRows = (): void => {
    const rows = wanted();
    if (rows.length === 0) return;
    const lines = rows.slice(0, MOST_COPIED).map((row) => lineOf(tools, row));
    const what = lines.length === 1 ? "1 packet" : `${lines.length} packets`;
    void copyAndSay(notices, lines.join("\n"), what);
  };
  const openMenu = (row: number, column: string, at: Element | MouseEvent): void => {
    open(`Actions for packet ${table.numberOf(row)}`, itemsOf(row, column), at);
  };
  const itemsOf = (row: number, column: string): MenuItem[] => {
    const { decoded } = rowText(table.capture, row);
    const field = decoded && fieldOfCell(tools, row, column);
    const several = picked.has(row) && picked.count > 1;
    const packets = several ? `the ${picked.count} packets` : "the packet";
    return [
      ...(field ? fieldItems(tools, notices, field) : []),
      ...(field || decoded === null ? [] : filterItems(tools, termOfCell(tools, row, column))),
      {
        label: marked.has(row) ? `Unmark ${packets}` : `Mark ${packets}`,
        hint: "M",
        apart: true,
        onChoose: mark,
      },
      ...(decoded === null ? [] : waysOf(decoded)).map(([, how, label]) => ({
        label,
        onChoose: () => follow(dashboard, row, how),
      })),
      { label: `Copy ${packets} as text`, hint: "Ctrl C", onChoose: copyRows },
    ];
  };

  const openAtRow = (row: number): void => {
    const at = pool.current?.current ?? grid.current;
    if (row >= 0 && at !== null) openMenu(row, "info", at);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { key, shiftKey, altKey } = event;
    if (altKey) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const page = pool.current?.page ?? 1;
    const row = table.selected.peek()?.row ?? -1;
    const plain: Record<string, () => void> = {
      ArrowDown: () => move(1, shiftKey),
      ArrowUp: () => move(-1, shiftKey),
      PageDown: () => move(page, shiftKey),
      PageUp: () => move(-page, shiftKey),
      Home: () => {
        move(-Number.MAX_SAFE_INTEGER, shiftKey);
        scroller.current?.scrollTo(0, 0); // a loss may stand before the first packet
      },
      End: () => move(Number.MAX_SAFE_INTEGER, shiftKey),
      Escape: () => (picked.count > 1 ? picked.clear(row) : table.select(-1)),
      Enter: onEnter,
      " ": () => table.capture.file.peek() === null && table.pause(!table.paused.value),
      m: mark,
      ContextMenu: () => openAtRow(row),
      F10: () => shiftKey && openAtRow(row),
    };
    const commands: Record<string, () => void> = {
      a: () => picked.all(table.rows),
      c: copyRows,
      m: mark,
      " ": () => row >= 0 && picked.toggle(row),
    };
    const action = (isCommand ? commands : plain)[key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const rowUnder = (event: MouseEvent): number =>
    pool.current?.rowOf(event.target as Element) ?? -1;
  /** The row that was pressed: until the release others may have come to its place. */
  const rowOfPress = (event: MouseEvent): number => {
    const row = rowUnder(event);
    // A click without a press comes from assistive technology.
    const isPressed = pressed.current >= 0 && (event.type !== "click" || event.detail > 0);
    return row >= 0 && isPressed ? pressed.current : row;
  };
  const onPointerDown = (event: PointerEvent): void => {
    pressed.current = rowUnder(event);
    // A finger may be about to scroll.
    if (pressed.current >= 0 && event.pointerType !== "touch") table.follow(false);
  };
  const onClick = (event: MouseEvent): void => {
    const row = rowOfPress(event);
    if (row < 0) return;
    const before = table.selected.peek()?.row ?? -1;
    table.follow(false);
    if (event.ctrlKey || event.metaKey) {
      if (picked.count === 0 && before >= 0 && before !== row) picked.toggle(before);
      picked.toggle(row);
    } else if (event.shiftKey) {
      picked.extend(row, before < 0 ? row : before, table.rows);
    } else picked.clear(row);
    table.select(row);
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) onPick();
  };
  const onContextMenu = (event: MouseEvent): void => {
    const target = event.target as Element;
    const row = rowOfPress(event);
    if (row < 0) return;
    const index = Number(target.closest(".cell")?.ariaColIndex ?? 0) - 1;
    if (!picked.has(row)) picked.clear(row);
    table.follow(false);
    table.select(row);
    openMenu(row, columns[index]?.id ?? "info", event);
  };

  return (
    <>
      <div
        class="packet-table"
        role="grid"
        aria-label="Packets"
        aria-colcount={columns.length}
        aria-multiselectable="true"
        aria-keyshortcuts="Enter M Control+A Control+C"
        tabIndex={0}
        ref={grid}
        style={{ "--columns": columns.map(widthOf).join(" ") }}
        onKeyDown={onKeyDown}
      >
        <div
          class="scroller"
          role="presentation"
          ref={scroller}
          onScroll={() => pool.current?.scrolled()}
          onPointerDown={onPointerDown}
          onClick={onClick}
          onContextMenu={onContextMenu}
        >
          <TableHead columns={columns} onMenu={open} />
        </div>
      </div>
      {/* A grid has rows and nothing else. */}
      <Menu menu={menu} />
    </>
  );
}

/** Rows that are copied as text at once. */
const MOST_COPIED = 10_000;

/** The columns that are shown; a file may have no directions. */
function columnsOf({ layout, table }: PacketTools): readonly Column[] {
  const file = table.capture.file.value;
  const isDirected = file === null || file.hasDirections;
  return layout.columns.value.filter((one) => one.shown && (isDirected || one.id !== "direction"));
}

function widthOf({ id, width }: Column): string {
  return width === null ? (WIDTHS[id] ?? "clamp(5rem, 10vw, 12rem)") : `${width}px`;
}

/** A row as text, its cells apart by tabs. */
function lineOf({ table, layout }: PacketTools, row: number): string {
  const text = rowText(table.capture, row);
  const { source, destination, protocol, length, info } = text;
  const time = timeText(table.capture.ring.timeNs(row), "date", 0n, layout.utc.peek());
  return [table.numberOf(row), time, text.kind, source, destination, protocol, length, info].join(
    "\t",
  );
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  source: ["ip.src", "ipv6.src"],
  destination: ["ip.dst", "ipv6.dst"],
};

/** Return the field that a cell shows; null where it shows none. */
function fieldOfCell({ table }: PacketTools, row: number, column: string): Field | null {
  const text = rowText(table.capture, row);
  const fields = [...(table.capture.engine.notes(row) ?? []), ...(text.decoded?.layers ?? [])];
  const names = FIELDS[column] ?? [column];
  const found = names.flatMap((name) => fieldsOfColumn(fields, name));
  const shown =
    column === "source" ? text.source : column === "destination" ? text.destination : "";
  return found.find((field) => field.text === shown) ?? found[0] ?? null;
}

/** Return the term for a cell that shows no field of its own. */
function termOfCell({ table }: PacketTools, row: number, column: string): string {
  const { kind, protocol, length, decoded } = rowText(table.capture, row);
  switch (column) {
    case "direction":
      return kind === "injected" ? "injected" : "received";
    case "length":
      return `frame.len == ${length}`;
    case "protocol":
    case "info": {
      const notes = table.capture.engine.notes(row) ?? [];
      const names = [...notes, ...(decoded?.layers ?? [])].map(({ name }) => name);
      const word = protocol.toLowerCase();
      return names.includes(word) ? word : (names.findLast((name) => name !== "data") ?? "ip");
    }
    default:
      return `frame.number == ${table.numberOf(row)}`;
  }
}

/** The table of packets: a frame of columns around recycled rows, and the keys that move in it. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { COLUMNS } from "./columns";
import { RowPool } from "./row-pool";

export function PacketTable() {
  const { table } = useDashboard();
  const grid = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const pool = useRef<RowPool | null>(null);

  useEffect(() => {
    if (grid.current === null || scroller.current === null) return;
    const made = new RowPool(table, grid.current, scroller.current);
    pool.current = made;
    table.invalidate();
    return () => made.dispose();
  }, [table]);
  useSignalEffect(() => {
    table.version.value;
    table.timeFormat.value;
    table.selected.value;
    pool.current?.draw();
  });
  useSignalEffect(() => {
    table.revealed.value;
    pool.current?.reveal();
  });

  const move = (step: number): void => {
    table.move(step);
    pool.current?.reveal();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = pool.current?.page ?? 1;
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      PageDown: () => move(page),
      PageUp: () => move(-page),
      Home: () => {
        move(-Number.MAX_SAFE_INTEGER);
        scroller.current?.scrollTo(0, 0); // a loss may stand before the first packet
      },
      End: () => move(Number.MAX_SAFE_INTEGER),
      Escape: () => table.select(-1),
      " ": () => table.pause(!table.paused.value),
    };
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const onClick = (event: MouseEvent): void => {
    const row = pool.current?.rowOf(event.target as Element) ?? -1;
    if (row < 0) return;
    table.follow(false);
    table.select(row);
  };

  return (
    <div
      class="packet-table"
      role="grid"
      aria-label="Packets"
      aria-colcount={COLUMNS.length}
      tabIndex={0}
      ref={grid}
      onKeyDown={onKeyDown}
    >
      <div
        class="scroller"
        role="presentation"
        ref={scroller}
        onScroll={() => pool.current?.scrolled()}
        onClick={onClick}
      >
        <div class="row head" role="row" aria-rowindex={1} tabIndex={-1}>
          {COLUMNS.map(([name, label], index) => (
            <div
              key={name}
              class={`cell ${name}`}
              role="columnheader"
              aria-colindex={index + 1}
              tabIndex={-1}
            >
              {label}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

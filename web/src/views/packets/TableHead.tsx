/** The heads of the columns: dragged to another width, and with a menu for the rest. */

import type { Column } from "../../models/table-layout";
import type { MenuItem } from "../ui/Menu";
import { useTools } from "./tools";

const STEP = 24; // pixels

interface Props {
  readonly columns: readonly Column[];
  readonly onMenu: (label: string, items: readonly MenuItem[], at: MouseEvent) => void;
}

export function TableHead({ columns, onMenu }: Props) {
  const { layout } = useTools();
  const items = (column: Column, head: Element | null): MenuItem[] => {
    const { id, width, isField } = column;
    const now = width ?? head?.clientWidth ?? 100;
    return [
      { label: "Move left", onChoose: () => layout.move(id, -1) },
      { label: "Move right", onChoose: () => layout.move(id, 1) },
      { label: "Wider", apart: true, onChoose: () => layout.resize(id, now + STEP) },
      { label: "Narrower", onChoose: () => layout.resize(id, now - STEP) },
      {
        label: "Automatic width",
        disabled: width === null,
        onChoose: () => layout.resize(id, null),
      },
      {
        label: isField ? "Remove this column" : "Hide this column",
        apart: true,
        onChoose: () => (isField ? layout.remove(id) : layout.toggle(id)),
      },
    ];
  };
  return (
    <div class="row head" role="row" aria-rowindex={1} tabIndex={-1}>
      {columns.map((column, index) => (
        <div
          key={column.id}
          class={`cell ${column.isField ? "field" : column.id}`}
          role="columnheader"
          aria-colindex={index + 1}
          tabIndex={-1}
          title={column.isField ? column.id : undefined}
          onContextMenu={(event) => {
            event.stopPropagation();
            onMenu(`Column ${column.label}`, items(column, event.currentTarget), event);
          }}
        >
          <span>{column.label}</span>
          <span
            class="grip"
            role="presentation"
            onClick={(event) => event.stopPropagation()}
            onDblClick={() => layout.resize(column.id, null)}
            onPointerDown={(event) => {
              event.preventDefault();
              event.currentTarget.setPointerCapture(event.pointerId);
            }}
            onPointerMove={(event) => {
              const { currentTarget, pointerId, clientX } = event;
              const head = currentTarget.parentElement;
              if (head === null || !currentTarget.hasPointerCapture(pointerId)) return;
              layout.resize(column.id, clientX - head.getBoundingClientRect().left);
            }}
          />
        </div>
      ))}
    </div>
  );
}

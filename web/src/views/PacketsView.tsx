/** The live packets: filter, table, detail. */

import { useRef, useState } from "preact/hooks";
import type { PacketTableModel } from "../models/packet-table";
import { useDashboard } from "./context";
import { Follow } from "./conversations/Follow";
import { EmptyTable } from "./packets/EmptyTable";
import { FindBar } from "./packets/FindBar";
import { useOpening } from "./packets/OpenFile";
import { PacketDetail } from "./packets/PacketDetail";
import { PacketTable } from "./packets/PacketTable";
import { Splitter } from "./packets/Splitter";
import { StatusLine } from "./packets/StatusLine";
import { Toolbar } from "./packets/Toolbar";
import { useTools } from "./packets/tools";
import { SessionNote } from "./SessionNote";
import { COMPACT, useMedia } from "./ui/media";
import "../styles/packets.css";

/** Bring the selected packet into view, or the first that passes a filter that was just typed. */
async function enter(table: PacketTableModel): Promise<void> {
  await table.capture.engine.settled();
  if (table.selected.peek() === null) table.move(1);
  table.revealed.value++;
}

export function PacketsView() {
  const { capture, table } = useDashboard();
  const open = useOpening();
  const { find } = useTools();
  const view = useRef<HTMLDivElement>(null);
  const isCompact = useMedia(COMPACT);
  const [isReading, setReading] = useState(false);
  const isSelected = table.selected.value !== null;
  // Where the details take the place of the table, they do so only when they are asked for.
  const isDetailed = isSelected && (isReading || !isCompact);
  /** Go to the first of these parts that is there. */
  const focus = (...selectors: readonly string[]): void => {
    requestAnimationFrame(() => {
      const found = selectors.map((one) => view.current?.querySelector<HTMLElement>(one));
      found.find((one) => one != null)?.focus();
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { key, shiftKey, altKey } = event;
    const isCommand = (event.ctrlKey || event.metaKey) && !altKey;
    const keys: Record<string, () => void> = {
      f: () => find.open(),
      g: () => find.open("number"),
    };
    const action = isCommand ? keys[key] : undefined;
    if (action !== undefined) action();
    else if (key === "F3" && find.text.peek() !== "") void find.find(shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
  };
  const read = (): void => {
    setReading(true);
    focus("[role=treeitem][tabindex='0']", ".packet-detail button");
  };
  const close = (): void => {
    if (!isCompact) table.select(-1);
    setReading(false);
    focus(".packet-table");
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the whole view
    <div
      ref={view}
      class={`packets${isCompact ? " compact" : ""}${isDetailed ? " detailed" : ""}`}
      onKeyDown={onKeyDown}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) void open(file);
      }}
    >
      <h1 class="unseen">Packets</h1>
      <Toolbar
        isCompact={isCompact}
        onDown={() => {
          focus(".packet-table");
          void enter(table);
        }}
      />
      {capture.file.value === null && <SessionNote />}
      {find.isOpen.value && (
        <FindBar
          onClose={() => {
            find.close();
            focus(".packet-table");
          }}
        />
      )}
      <div class="table-area">
        <PacketTable onEnter={read} onClick={() => isCompact && read()} />
        <EmptyTable />
      </div>
      {isDetailed && (
        <>
          {!isCompact && <Splitter />}
          <PacketDetail isCompact={isCompact} onClose={close} />
        </>
      )}
      <StatusLine />
      <Follow />
    </div>
  );
}

/** The live packets: filter, table, detail. */

import { useRef } from "preact/hooks";
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
import "../styles/packets.css";

export function PacketsView() {
  const { capture, table } = useDashboard();
  const open = useOpening();
  const { find } = useTools();
  const view = useRef<HTMLDivElement>(null);
  const focus = (selector: string): void => {
    requestAnimationFrame(() => view.current?.querySelector<HTMLElement>(selector)?.focus());
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
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the whole view
    <div
      ref={view}
      class="packets"
      onKeyDown={onKeyDown}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) void open(file);
      }}
    >
      <h1 class="unseen">Packets</h1>
      <Toolbar />
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
        <PacketTable onEnter={() => focus("[role=treeitem][tabindex='0']")} />
        <EmptyTable />
      </div>
      {table.selected.value !== null && (
        <>
          <Splitter />
          <PacketDetail
            onClose={() => {
              table.select(-1);
              focus(".packet-table");
            }}
          />
        </>
      )}
      <StatusLine />
      <Follow />
    </div>
  );
}

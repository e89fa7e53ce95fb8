/** The live packets: filter, table, detail. */

import { useDashboard } from "./context";
import { PacketDetail } from "./packets/PacketDetail";
import { PacketTable } from "./packets/PacketTable";
import { Splitter } from "./packets/Splitter";
import { StatusLine } from "./packets/StatusLine";
import { Toolbar } from "./packets/Toolbar";
import { SessionNote } from "./SessionNote";

export function PacketsView() {
  const { table } = useDashboard();
  return (
    <div class="packets">
      <h1 class="unseen">Packets</h1>
      <Toolbar />
      <SessionNote />
      <PacketTable />
      {table.selected.value !== null && (
        <>
          <Splitter />
          <PacketDetail />
        </>
      )}
      <StatusLine />
    </div>
  );
}

/** What the address says of the models, and the models of the address: a link shows the same again. */

import { effect, untracked } from "@preact/signals";
import type { Dashboard } from "../models/dashboard";
import type { NoticesModel } from "../models/notices";
import type { PacketTableModel } from "../models/packet-table";
import { plainName } from "../models/visible";
import { currentTab, needsPackets, ofStream, param, setParam, unknownView } from "./address";

/** Keep the address and the models at one, from now on; the address has the first word. */
export function bookmark(dashboard: Dashboard): void {
  const { adapters, capture, chosen, notices, workbench } = dashboard;
  // The rows of a page that was left are not kept, so that its numbers mean nothing here.
  const number = currentTab() === "packets" ? param("packet") : "";
  if (number !== "") {
    setParam("packet", null);
    notices.say(`Packet ${number} was captured before this page was loaded, and was not kept.`);
  }

  effect(() => {
    const id = unknownView.value;
    if (id === "") return;
    untracked(() => notices.warn(`There is no view “${plainName(id)}”. This is the overview.`));
  });

  effect(() => {
    void capture.generation.value;
    const name = needsPackets(currentTab()) ? param("adapter") : null;
    // Those of the adapter that was shown before are not asked for first.
    if (name === "" || name === capture.adapter) untracked(() => capture.want());
  });

  effect(() => {
    const name = ofStream(currentTab()) ? param("adapter") : "";
    untracked(() => name !== "" && chosen.chooseName(name));
  });
  effect(() => {
    const name = chosen.name.value;
    const tab = currentTab();
    if (name === "") return;
    untracked(() => setParam("adapter", name, { tab: ofStream(tab) ? tab : "packets" }));
  });

  effect(() => {
    const table = workbench.value?.table;
    if (table !== undefined) untracked(() => bookmarkTable(table, notices));
  });

  effect(() => {
    if (currentTab() !== "overview") return;
    const name = param("adapter");
    const found = adapters.list.value.find((one) => one.name === name);
    untracked(() => {
      if (found === undefined) adapters.asked.value = name;
      else if (adapters.selected.peek()?.guid !== found.guid) adapters.select(found.guid);
    });
  });
  effect(() => {
    const name = adapters.selected.value?.name;
    if (name !== undefined) untracked(() => setParam("adapter", name, { tab: "overview" }));
  });
}

function bookmarkTable(table: PacketTableModel, notices: NoticesModel): void {
  effect(() => {
    if (currentTab() !== "packets") return;
    const text = param("filter");
    untracked(() => text !== table.filterText.peek() && table.filter(text));
  });
  effect(() => {
    const text = table.filterText.value;
    untracked(() => setParam("filter", text, { tab: "packets" }));
  });

  effect(() => {
    const packet = currentTab() === "packets" ? Number(param("packet")) : 0;
    const adapter = param("adapter");
    void table.capture.generation.value;
    // It is a packet of the adapter that the address names, whose rows come a moment later.
    if (adapter !== "" && adapter !== table.capture.adapter) return;
    untracked(() => {
      const row = packet - table.numberOf(0);
      if (packet <= 0 || table.selected.peek()?.row === row) return;
      table.select(row);
      if (table.selected.peek() === null) notices.say(`Packet ${packet} is not in the table.`);
    });
  });
  effect(() => {
    const row = table.selected.value?.row;
    const shown = row === undefined ? null : table.numberOf(row);
    untracked(() => setParam("packet", shown, { tab: "packets" }));
  });
}

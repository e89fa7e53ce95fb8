/** What the packet view needs beyond the table, and what the rest of the page can do without. */

import type { Store } from "../api/store";
import { FilterHistory } from "./filter-history";
import { type Joint, joined } from "./filter-terms";
import { PacketDetailModel } from "./packet-detail";
import { FindModel } from "./packet-find";
import type { PacketTableModel } from "./packet-table";
import { PickedRows } from "./picked-rows";
import { TableLayout } from "./table-layout";

export class PacketTools {
  readonly layout: TableLayout;
  readonly history: FilterHistory;
  readonly detail: PacketDetailModel;
  readonly find: FindModel;
  /** Selected beside the one whose details are shown. */
  readonly picked: PickedRows;
  readonly marked: PickedRows;

  constructor(
    readonly table: PacketTableModel,
    store: Store,
    pause: () => Promise<void>,
  ) {
    const { capture } = table;
    this.layout = new TableLayout(store);
    this.history = new FilterHistory(store);
    this.detail = new PacketDetailModel(table, this.layout);
    this.find = new FindModel(table, pause);
    this.picked = new PickedRows(() => capture.ring);
    this.marked = new PickedRows(() => capture.ring);
    capture.generation.subscribe(() => {
      this.picked.turn();
      this.marked.turn();
      this.find.cancel();
    });
  }

  /** Put a term to the filter and show what passes. */
  filter(joint: Joint, term: string): void {
    const text = joined(this.table.filterText.peek(), joint, term);
    this.table.filter(text);
    if (this.table.filterError.peek() === null) this.history.remember(text);
  }
}

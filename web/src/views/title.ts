/** The title of the page: "Packets · tcp · OfficeNet – wintun-api". */

import type { Dashboard } from "../models/dashboard";
import { plainName } from "../models/visible";
import { currentTab, ofStream, param } from "./address";
import { TABS } from "./tabs";

const PRODUCT = "wintun-api";

/** Return the title for what is shown; a filter that was refused is not in it. */
export function titleOf(dashboard: Dashboard): string {
  const { adapters, capture, chosen, connection, sessions, workbench } = dashboard;
  if (connection.state.value.name === "signed-out") return `Sign in – ${PRODUCT}`;
  const tab = currentTab();
  const parts: string[] = [TABS.find(({ id }) => id === tab)?.label ?? ""];
  const table = workbench.value?.table;
  if (tab === "packets" && table !== undefined) {
    if (table.filterError.value === null) parts.push(table.filterText.value.trim());
    const row = table.selected.value?.row;
    if (row !== undefined) parts.push(`packet ${table.numberOf(row)}`);
  }
  if (tab === "overview") parts.push(plainName(adapters.selected.value?.name ?? ""));
  const file = tab === "packets" || tab === "conversations" ? capture.file.value : null;
  if (file !== null) parts.push(plainName(file.name));
  else if (tab === "traffic" && param("all") !== "") parts.push("all adapters");
  else if (ofStream(tab)) {
    const state = chosen.state.value;
    const name = plainName(chosen.name.value);
    parts.push(state === "unknown" ? "" : state === "gone" ? `${name} (deleted)` : name);
  }
  const impaired = sessions.impaired.value.map(({ adapter }) =>
    plainName(adapters.find(adapter)?.name ?? ""),
  );
  const mark = impaired.length === 0 ? "" : `⚠ ${impaired.join(", ")} impaired · `;
  return `${mark}${parts.filter((part) => part !== "").join(" · ")} – ${PRODUCT}`;
}

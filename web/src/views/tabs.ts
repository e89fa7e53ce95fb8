/** The tabs, and which of them the address names: `#/packets`. No other module sets the address. */

import { signal } from "@preact/signals";

export const TABS = [
  { id: "overview", label: "Overview" },
  { id: "packets", label: "Packets" },
  { id: "captures", label: "Captures" },
  { id: "traffic", label: "Traffic" },
  { id: "compose", label: "Compose" },
  { id: "events", label: "Events" },
  { id: "hosts", label: "Hosts" },
] as const;

export type TabId = (typeof TABS)[number]["id"];

export function tabOf(hash: string): TabId {
  const id = hash.replace(/^#\/?/, "").split("?")[0];
  return TABS.find((tab) => tab.id === id)?.id ?? "overview";
}

export const currentTab = signal<TabId>("overview");

export function goTo(tab: TabId): void {
  window.location.hash = `#/${tab}`;
}

/** Show the tab that the address names; called for every change of the address too. */
export function readAddress(): void {
  currentTab.value = tabOf(window.location.hash);
}

window.addEventListener("hashchange", readAddress);

// 1 to 7 go to the tabs, where nobody is typing.
window.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement | null;
  const typing = target?.closest("input, textarea, select, dialog, [contenteditable]") != null;
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const tab = TABS[Number(event.key) - 1];
  if (tab !== undefined) goTo(tab.id);
});

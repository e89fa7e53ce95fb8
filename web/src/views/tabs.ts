/**
 * The views, in the order of their tabs; `stream` marks those of one adapter, `packets` those that
 * need every packet of it to be sent here.
 */

export const TABS = [
  { id: "overview", label: "Overview" },
  { id: "packets", label: "Packets", stream: true, packets: true },
  { id: "conversations", label: "Conversations", stream: true, packets: true },
  { id: "captures", label: "Captures" },
  { id: "traffic", label: "Traffic", stream: true, packets: true },
  { id: "compose", label: "Compose", stream: true, packets: true },
  { id: "events", label: "Events" },
  { id: "hosts", label: "Hosts" },
  { id: "access", label: "Access" },
] as const;

export type TabId = (typeof TABS)[number]["id"];

/** How the parts of this view get at its own models, which are made when it is first shown. */

import type { Dashboard } from "../../models/dashboard";
import { PacketTools } from "../../models/packet-tools";
import { useDashboard } from "../context";

const made = new WeakMap<Dashboard, PacketTools>();

/** Return the tools of the packet view. */
export function useTools(): PacketTools {
  const dashboard = useDashboard();
  let tools = made.get(dashboard);
  if (tools === undefined) {
    const nextFrame = () => new Promise<void>((resolve) => requestAnimationFrame(() => resolve()));
    tools = new PacketTools(dashboard.table, dashboard.store, nextFrame);
    made.set(dashboard, tools);
  }
  return tools;
}

/** How a view gets at the models: no props are handed down. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Dashboard } from "../models/dashboard";

export const DashboardContext = createContext<Dashboard | null>(null);

export function useDashboard(): Dashboard {
  const dashboard = useContext(DashboardContext);
  if (dashboard === null) throw new Error("There is no dashboard around this view.");
  return dashboard;
}

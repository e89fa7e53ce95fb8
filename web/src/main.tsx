/**
 * Build the models, mount the view, nothing else. Floors: views → models → api, wire, packet,
 * filter; a view never fetches, a model never touches the DOM, one file opens a WebSocket.
 *
 *     api/     REST, the event stream, the packet stream; schema.gen.ts is made of openapi.json
 *     wire/    the batch frame, its control messages, pcapng
 *     packet/  decode, build, checksums     filter/  the display filter
 *     models/  state in signals; dashboard.ts makes them all and ties them together
 *     views/   one file per view or part of one; ui/ has what they share
 *     styles/  tokens first: no colour is written elsewhere
 */

import { render } from "preact";
import { Dashboard } from "./models/dashboard";
import { ThemeModel } from "./models/theme";
import { App } from "./views/App";
import { DashboardContext } from "./views/context";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/overview.css";
import "./styles/packets.css";
import "./styles/traffic.css";
import "./styles/compose.css";
import "./styles/events.css";

const theme = new ThemeModel(
  window.matchMedia("(prefers-color-scheme: dark)"),
  window.localStorage,
  (shown) => {
    document.documentElement.dataset["theme"] = shown;
  },
);
const dashboard = new Dashboard(placeOf(window.location), theme);

// A token that the service did not take has no business in the address bar either.
if (window.location.search.includes("token=")) {
  window.history.replaceState(null, "", window.location.pathname + window.location.hash);
}

const root = document.getElementById("app");
if (root !== null) {
  render(
    <DashboardContext.Provider value={dashboard}>
      <App />
    </DashboardContext.Provider>,
    root,
  );
}
const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
// The service shows this page in place of a refusal, too; then there is nobody to ask.
dashboard.start(visit?.responseStatus !== 401, () => document.hidden);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) dashboard.connection.retry();
});

function placeOf({ protocol, host, search }: Location) {
  return { protocol, host, search };
}

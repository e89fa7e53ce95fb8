/**
 * Build the models, mount the view, nothing else. Floors: views → models → worker, api → filter,
 * analysis, wire → packet; a view never fetches, a model never touches the DOM, one file opens a WebSocket.
 *
 *     api/     REST, the event stream, the packet stream; schema.gen.ts is made of openapi.json
 *     wire/    the batch frame, its control messages, pcapng
 *     packet/  decode, build, checksums     filter/  the display filter
 *     analysis/  conversations, and what packets say of each other
 *     worker/  the ring, and the worker that filters and analyses it; models/engine.ts speaks to it
 *     models/  state in signals; dashboard.ts makes them all and ties them together
 *     views/   one file per view or part of one; ui/ has what they share
 *     styles/  tokens first: no colour is written elsewhere
 */

import { render } from "preact";
import { KEY, takeKey } from "./api/key";
import { BrowserStore } from "./api/store";
import { Dashboard } from "./models/dashboard";
import { ThemeModel } from "./models/theme";
import { App } from "./views/App";
import { readAddress } from "./views/address";
import { bookmark } from "./views/bookmark";
import { DashboardContext } from "./views/context";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/overview.css";
import "./styles/events.css";
import "./styles/impairment.css";
import "./styles/captures.css";

/** Where a tab keeps how many packets it held. */
const CAPTURED = "wintun-api.captured";

const store = new BrowserStore();
const { location } = window;
const { protocol, host, search } = location;
const key = takeKey();
readAddress();
const theme = new ThemeModel(window.matchMedia("(prefers-color-scheme: dark)"), store, (shown) => {
  document.documentElement.dataset["theme"] = shown;
});
const allows = document.querySelector<HTMLMetaElement>("[name=wintun-api-token-allows]")?.content;
// The sign-in stands in place of other pages too, as that of the API.
const elsewhere = location.pathname === "/" ? {} : { reload: () => location.reload() };
const place = { protocol, host, search, startWorker, allows: allows ?? null, ...elsewhere };
const dashboard = new Dashboard(place, theme, store);

// A token that the service did not take has no business in the address bar either.
if (search.includes("token=")) {
  window.history.replaceState(null, "", location.pathname + location.hash);
}

bookmark(dashboard);
tellDropped();

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
// The service shows this page in place of a refusal, too; then no key can be of use.
void dashboard.start((visit?.responseStatus ?? 0) < 400, key, () => document.hidden);
window.addEventListener("hashchange", () => {
  const found = takeKey();
  if (found === null) return;
  readAddress();
  void dashboard.signInWith(found);
});
window.addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) void dashboard.onKeyChanged();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) dashboard.connection.retry();
});
// A page in the browser's memory must not hold its sockets open.
window.addEventListener("pagehide", () => {
  keepCount(dashboard.capture.file.peek() === null ? dashboard.capture.ring.packets : 0);
  dashboard.leave();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) void dashboard.comeBack();
});

/** Let this tab know, when it is loaded again, how many packets that dropped. */
function keepCount(count: number): void {
  try {
    if (count > 0) sessionStorage.setItem(CAPTURED, String(count));
    else sessionStorage.removeItem(CAPTURED);
  } catch {
    // Storage is blocked: nothing will be said.
  }
}

/** Say what loading the page again dropped. */
function tellDropped(): void {
  let count = 0;
  try {
    count = Number(sessionStorage.getItem(CAPTURED));
  } catch {
    return;
  }
  keepCount(0);
  if (count === 0) return;
  const packets =
    count === 1 ? "1 captured packet" : `${count.toLocaleString("en")} captured packets`;
  dashboard.notices.say(`Reloading the page discarded ${packets}.`);
}

/** An entry of its own in the same build, which shares the parts that both need. */
function startWorker(): Worker {
  return new Worker(new URL("/worker.js", location.origin), { type: "module" });
}

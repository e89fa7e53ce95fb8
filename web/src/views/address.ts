/**
 * The address of the page: `#/packets?adapter=OfficeNet&filter=tcp&packet=40`. This is the one
 * place that reads and writes it.
 *
 * A view keeps its parameters for the next visit. `adapter` is one and the same in all views of a
 * session's packets; the one of the overview is another, which is selected there.
 */

import { signal } from "@preact/signals";
import { TABS, type TabId } from "./tabs";

type Params = ReadonlyMap<string, string>;
/** An empty text or null removes a parameter. */
export type Changes = Readonly<Record<string, string | number | null>>;

interface Place {
  readonly tab: TabId;
  readonly params: Params;
}

const place = signal<Place>({ tab: "overview", params: new Map() });
/** What an address named that is no view; "" where it named one, or none. */
export const unknownView = signal("");
/** What lies over the view in an entry of its own of the browser's history; "" for nothing. */
export const over = signal("");
/** Entries of before a reload name what is no longer there. */
const PAGE = performance.timeOrigin;
let isTakenAway = false;
/** What each view was left with. */
const left = new Map<TabId, Params>();

/** Return the view that is shown. */
export function currentTab(): TabId {
  return place.value.tab;
}

/** Return a parameter of the view that is shown; "" if it is not there. */
export function param(name: string): string {
  return place.value.params.get(name) ?? "";
}

/**
 * Change a parameter. The entry of the browser's history is replaced, unless `replace` is false;
 * `tab` names a view that need not be shown.
 */
export function setParam(
  name: string,
  value: string | number | null,
  { replace = true, tab = place.peek().tab }: { replace?: boolean; tab?: TabId } = {},
): void {
  const now = paramsOf(tab);
  if ((now.get(name) ?? "") === String(value ?? "")) return;
  const next = { tab, params: changed(now, { [name]: value }) };
  if (tab === place.peek().tab) write(next, replace);
  else keep(next);
}

/** Return the link to a view as it was left. */
export function hrefOf(tab: TabId, changes: Changes = {}): string {
  void place.value;
  return hashOf({ tab, params: changed(paramsOf(tab), changes) });
}

/** Show a view as it was left, with these parameters changed. */
export function goTo(tab: TabId, changes: Changes = {}): void {
  write({ tab, params: changed(paramsOf(tab), changes) }, false);
}

/** Lay something over the view, or something else in its place: Back takes it away. */
export function layOver(what: string): void {
  const entry = { page: PAGE, over: what };
  if (over.peek() === "") window.history.pushState(entry, "");
  else window.history.replaceState(entry, "");
  over.value = what;
}

/** Take away what lies over the view, by going back. */
export function takeAway(): void {
  if (over.peek() === "" || isTakenAway) return;
  isTakenAway = true;
  window.history.back();
}

/** Show what the address names; called for every change of the address too. */
export function readAddress(): void {
  isTakenAway = false;
  readPlace();
  const entry = window.history.state as { page?: number; over?: string } | null;
  over.value = entry?.page === PAGE ? (entry.over ?? "") : "";
}

function readPlace(): void {
  const { hash } = window.location;
  if (hash === hashOf(place.peek())) return;
  const unknown = unknownIn(hash);
  unknownView.value = unknown;
  if (unknown !== "") {
    write({ tab: "overview", params: paramsOf("overview") }, true);
    return;
  }
  const next = placeOf(hash);
  keep(next);
  place.value = next;
}

/** Return the name of a view that there is not; "" for every other address. */
function unknownIn(hash: string): string {
  const id = /^#\/([^?]+)/.exec(hash)?.[1] ?? "";
  return TABS.some((one) => one.id === id) ? "" : id;
}

/** Read the fragment of an address; without the name of a view it is the overview's. */
export function placeOf(hash: string): Place {
  const [, id = "", query = ""] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  const tab = TABS.find((one) => one.id === id)?.id ?? "overview";
  return { tab, params: new Map(new URLSearchParams(query)) };
}

export function hashOf({ tab, params }: Place): string {
  const query = new URLSearchParams([...params]).toString();
  return `#/${tab}${query && "?"}${query}`;
}

function write(next: Place, replace: boolean): void {
  const hash = hashOf(next);
  const isOther = hash !== window.location.hash || over.peek() !== "";
  if (replace) window.history.replaceState(window.history.state, "", hash);
  else if (isOther) window.history.pushState(null, "", hash);
  keep(next);
  place.value = next;
  if (!replace) over.value = "";
}

function keep({ tab, params }: Place): void {
  left.set(tab, params);
  if (!ofStream(tab)) return;
  const adapter = params.get("adapter") ?? null;
  // A link that names no adapter is one to the adapter that is shown.
  if (adapter === null) return;
  for (const { id } of TABS) {
    if (ofStream(id) && id !== tab) left.set(id, changed(left.get(id) ?? new Map(), { adapter }));
  }
}

function paramsOf(tab: TabId): Params {
  return left.get(tab) ?? new Map();
}

/** Say whether a view shows the packets of one adapter. */
export function ofStream(tab: TabId): boolean {
  return TABS.some((one) => one.id === tab && "stream" in one);
}

/** Say whether a view shows what can be known from the packets alone. */
export function needsPackets(tab: TabId): boolean {
  return TABS.some((one) => one.id === tab && "packets" in one);
}

function changed(params: Params, changes: Changes): Params {
  const next = new Map(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

window.addEventListener("hashchange", readAddress);
window.addEventListener("popstate", readAddress);

/** The adapters: one row each, all of it live; found by a text, sorted by a column. */

import { useEffect, useRef } from "preact/hooks";
import type { Adapter } from "../api/types";
import { type AdapterState, type SortKey, stateOf } from "../models/adapter-list";
import { type LossSummary, lossSummary } from "../models/losses";
import { isRunning } from "../models/sessions";
import { count, scaled } from "../models/units";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { Direction } from "./ui/Direction";
import { Name } from "./ui/Name";
import { moveBetweenRows } from "./ui/rows";
import { Sparkline } from "./ui/Sparkline";

const COLUMNS: readonly (readonly [title: string, by: SortKey | null, kind: string])[] = [
  ["Name", "name", ""],
  ["State", "state", "at-least-s"],
  ["From host", "received", "number"],
  ["To host", "injected", "number"],
  ["Lost", "lost", "number at-least-m"],
  ["Last minute", null, "at-least-m"],
  ["MTU", "mtu", "number at-least-l"],
];

export const STATE_WORDS: Readonly<Record<AdapterState, string>> = {
  up: "Up",
  starting: "Starting",
  down: "Link down",
  failed: "Failed",
  "no session": "No session",
  "not opened": "Not opened",
};

export function AdapterTable() {
  const { adapters, list, service } = useDashboard();
  if (adapters.list.value.length === 0) {
    return (
      <p class="empty">
        No adapters yet.
        {service.isAdmin.value && " Create one, or open an existing one."}
      </p>
    );
  }
  const shown = list.shown.value;
  if (shown.length === 0) {
    return (
      <div class="empty">
        <p>
          No adapter matches “<Name of={list.search.value.trim()} />
          ”.
        </p>
        <button
          type="button"
          class="text-button"
          onClick={() => {
            list.search.value = "";
          }}
        >
          Show all adapters
        </button>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it
    <section class="scroll" aria-label="List of adapters" tabIndex={0}>
      <table class="grid">
        <Head />
        <tbody onKeyDown={moveBetweenRows}>
          {shown.map((adapter) => (
            <Row key={adapter.guid} adapter={adapter} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Head() {
  const { list } = useDashboard();
  const { by: sorted, down } = list.sort.value;
  return (
    <thead>
      <tr>
        {COLUMNS.map(([title, by, kind]) => (
          <th
            key={title}
            scope="col"
            class={kind}
            aria-sort={by === sorted ? (down ? "descending" : "ascending") : undefined}
          >
            {by === null ? (
              title
            ) : (
              <button type="button" class="sort" onClick={() => list.sortBy(by)}>
                {by === "received" || by === "injected" ? <Direction way={by} /> : title}
                <span aria-hidden="true">{by === sorted ? (down ? "▾" : "▴") : ""}</span>
              </button>
            )}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Row({ adapter }: { adapter: Adapter }) {
  const { adapters, sessions } = useDashboard();
  const selected = adapters.selected.value?.guid === adapter.guid;
  const session = sessions.of(adapter.guid);
  const running = session && isRunning(session) ? session : undefined;
  const rates = running && sessions.rates(running.id);
  void rates?.version.value;
  const state = stateOf(adapter, session);
  const addresses = adapter.addresses.join(", ");
  const select = (event: MouseEvent) => {
    adapters.select(adapter.guid);
    // Below a table that fills the screen nobody would see what the click has shown.
    if (event.detail > 0) requestAnimationFrame(showDetail);
  };
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  const losses = session && lossSummary(session.counters.lost);
  // The row takes clicks; its button is there for the keyboard.
  return (
    <tr ref={row} class={selected ? "selected" : undefined} onClick={select}>
      <th scope="row">
        <button type="button" class="row-button" aria-pressed={selected}>
          <i class="dot" data-state={state} />
          <Name of={adapter.name} cut />
          <span class="unseen">, {STATE_WORDS[state]}</span>
        </button>
        <ImpairedBadge guid={adapter.guid} />
        {adapter.wanted && <span class="badge warn">settings differ</span>}
        <span class="soft mono cut" title={addresses}>
          {addresses || "No address"}
        </span>
      </th>
      <td class={`at-least-s state ${state.replace(" ", "-")}`}>{STATE_WORDS[state]}</td>
      <td class="number">{rates && scaled(rates.receivedNow.packets, "p/s")}</td>
      <td class="number">{rates && scaled(rates.injectedNow.packets, "p/s")}</td>
      <td class={losses?.lost ? "number at-least-m lost" : "number at-least-m soft"}>
        {losses && lossText(losses)}
      </td>
      <td class="at-least-m">{rates && <Sparkline rates={rates} />}</td>
      <td class="number at-least-l">{adapter.mtu ?? "unknown"}</td>
    </tr>
  );
}

/** "none" would not be true of packets that nobody was there to take. */
function lossText({ lost, unclaimed }: LossSummary): string {
  if (lost > 0) return count(lost);
  return unclaimed > 0 ? `${scaled(unclaimed, "")} discarded` : "none";
}

function showDetail(): void {
  const detail = document.getElementById("adapter-detail");
  const list = document.querySelector(".adapters > section");
  if (detail === null || list === null) return;
  const isBelow = detail.getBoundingClientRect().top >= list.getBoundingClientRect().bottom;
  if (isBelow) detail.scrollIntoView({ block: "start" });
}

/** How long an adapter lives. */
export function lifetimeOf(adapter: Adapter): string {
  if (adapter.orphan) return "Left over from a program that ended";
  return adapter.persistent ? "Until it is deleted" : "Until the service stops";
}

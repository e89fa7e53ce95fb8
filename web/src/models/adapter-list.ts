/** The adapters as the overview lists them: found by a text, in an order. */

import { computed, signal } from "@preact/signals";
import type { Adapter, Session } from "../api/types";
import type { AdaptersModel } from "./adapters";
import { lossSummary } from "./losses";
import { isRunning, type SessionsModel } from "./sessions";

export type SortKey = "name" | "state" | "received" | "injected" | "lost" | "mtu";

/** The states of an adapter and its session, the best first. */
export const STATES = ["up", "starting", "down", "failed", "no session", "not opened"] as const;
export type AdapterState = (typeof STATES)[number];

/** From so many on, finding one by eye takes longer than typing a part of its name. */
const MANY = 6;

export class AdapterListModel {
  readonly search = signal("");
  /** At first, what runs comes first. */
  readonly sort = signal<{ readonly by: SortKey; readonly down: boolean }>({
    by: "state",
    down: false,
  });
  readonly isLong = computed(() => this.adapters.list.value.length > MANY);
  readonly shown = computed(() => {
    const { by, down } = this.sort.value;
    const words = this.search.value.trim().toLowerCase();
    const found = this.adapters.list.value.filter((one) => textOf(one).includes(words));
    // By name they are already; equal ones stay so.
    if (by === "name") return down ? found.reverse() : found;
    const keyed = found.map((adapter) => ({ adapter, key: this.keyOf(adapter, by) }));
    keyed.sort((a, b) => (down ? b.key - a.key : a.key - b.key));
    return keyed.map(({ adapter }) => adapter);
  });

  constructor(
    private readonly adapters: AdaptersModel,
    private readonly sessions: SessionsModel,
  ) {}

  /** Sort by this; once more turns the order round. Numbers begin with the largest. */
  sortBy(by: SortKey): void {
    const now = this.sort.value;
    const first = by !== "name" && by !== "state";
    this.sort.value = { by, down: now.by === by ? !now.down : first };
  }

  private keyOf(adapter: Adapter, by: SortKey): number {
    const session = this.sessions.of(adapter.guid);
    if (by === "mtu") return adapter.mtu ?? 0;
    if (by === "state") return STATES.indexOf(stateOf(adapter, session));
    if (session === undefined) return -1;
    if (by === "lost") return lossSummary(session.counters.lost).lost;
    if (!isRunning(session)) return -1;
    const rates = this.sessions.rates(session.id);
    return (by === "received" ? rates.receivedNow : rates.injectedNow).packets;
  }
}

/** Say how an adapter and its session are. */
export function stateOf(adapter: Adapter, session: Session | undefined): AdapterState {
  if (session?.state === "starting") return "starting";
  if (session?.state === "running") return adapter.state === "up" ? "up" : "down";
  if (session?.state === "failed") return "failed";
  return adapter.managed ? "no session" : "not opened";
}

function textOf(adapter: Adapter): string {
  const { name, pool, guid, interface_name: system, addresses } = adapter;
  return [name, pool, guid, system, ...addresses].join("\n").toLowerCase();
}

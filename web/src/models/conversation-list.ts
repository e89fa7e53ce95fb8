/** The conversations as the view lists them: found by words, sorted by a column, one selected. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Conversation } from "../analysis/conversation";
import type { CaptureModel } from "./capture";
import { endText, protocolOf, rateOf, STATES, secondsOf } from "./conversation-text";

export const COLUMNS = [
  "protocol",
  "source",
  "destination",
  "state",
  "fromPackets",
  "fromBytes",
  "toPackets",
  "toBytes",
  "start",
  "duration",
  "rate",
  "rtt",
  "resent",
] as const;
export type Column = (typeof COLUMNS)[number];

export interface Sorting {
  readonly column: Column;
  readonly isDown: boolean;
}

/** The newest first, as long as nobody wants it otherwise. */
export const DEFAULT_SORTING: Sorting = { column: "start", isDown: true };

export type Amounts = readonly [
  fromPackets: number,
  toPackets: number,
  fromBytes: number,
  toBytes: number,
];

type Value = string | number;

const VALUES: Readonly<Record<Column, (one: Conversation, list: ConversationListModel) => Value>> =
  {
    protocol: protocolOf,
    source: (one) => addressKey(one.source, one.sourcePort),
    destination: (one) => addressKey(one.destination, one.destinationPort),
    state: (one) => STATES[one.state],
    fromPackets: (one, list) => list.amounts(one)[0],
    fromBytes: (one, list) => list.amounts(one)[2],
    toPackets: (one, list) => list.amounts(one)[1],
    toBytes: (one, list) => list.amounts(one)[3],
    // Numbers are given in the order in which they start, and are sooner compared.
    start: (one) => one.id,
    duration: secondsOf,
    rate: rateOf,
    rtt: (one) => one.rttNs ?? -1,
    resent: (one) => one.retransmissions,
  };

export class ConversationListModel {
  /** Words that all must be in a conversation's addresses, ports, protocol or state. */
  readonly search = signal("");
  readonly sorting = signal<Sorting>(DEFAULT_SORTING);
  /** Its id; 0 for none. */
  readonly selected = signal(0);
  /** All that are kept, in the order in which they were touched. */
  readonly all: Signal<readonly Conversation[]>;

  /** What is shown, in order. */
  readonly rows = computed(() => {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = this.all.value;
    const found = words.length === 0 ? all : all.filter((one) => isFound(one, words));
    const { column, isDown } = this.sorting.value;
    return sorted(found, isDown, (one) => VALUES[column](one, this));
  });

  /** Whether it is known what came from the host and what went to it; files need not say so. */
  readonly isDirected: ReadonlySignal<boolean>;

  constructor(capture: CaptureModel) {
    this.all = capture.engine.conversations;
    this.isDirected = computed(() => capture.file.value?.hasDirections ?? true);
  }

  /** Packets and bytes from the host and to it, else of the opener and of the other end. */
  amounts(one: Conversation): Amounts {
    return this.isDirected.value
      ? [...one.hostPackets, ...one.hostBytes]
      : [...one.packets, ...one.bytes];
  }

  /** The selected conversation, also while the search hides it. */
  get current(): Conversation | undefined {
    const id = this.selected.value;
    return id === 0 ? undefined : this.all.value.find((one) => one.id === id);
  }

  /** Sort by a column: numbers and times begin with the largest, texts with the first. */
  sort(column: Column): void {
    const { column: before, isDown } = this.sorting.value;
    const isText = ["protocol", "source", "destination", "state"].includes(column);
    this.sorting.value = { column, isDown: before === column ? !isDown : !isText };
  }

  /** Select the row that is so many steps from the selected one. */
  move(step: number): void {
    const rows = this.rows.value;
    if (rows.length === 0) return;
    const at = rows.findIndex(({ id }) => id === this.selected.value);
    const from = at < 0 ? (step > 0 ? -1 : rows.length) : at;
    const next = rows[Math.min(Math.max(from + step, 0), rows.length - 1)];
    if (next !== undefined) this.selected.value = next.id;
  }
}

/** Say whether every word is somewhere in a conversation. */
function isFound(one: Conversation, words: readonly string[]): boolean {
  const text = [
    protocolOf(one),
    one.protocol === 6 ? "TCP" : one.protocol === 17 ? "UDP" : "",
    endText(one.source, one.sourcePort),
    endText(one.destination, one.destinationPort),
    STATES[one.state],
  ]
    .join(" ")
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

function sorted(
  found: readonly Conversation[],
  isDown: boolean,
  value: (one: Conversation) => Value,
): readonly Conversation[] {
  const keyed = found.map((one) => [value(one), one] as const);
  const sign = isDown ? -1 : 1;
  // Where they are equal the newer one comes first, so that rows do not dance.
  keyed.sort(([a, x], [b, y]) => (a < b ? -sign : a > b ? sign : y.id - x.id));
  return keyed.map(([, one]) => one);
}

/** A text that sorts addresses by their numbers. */
function addressKey(address: string, port: number): string {
  const padded = address.includes(":")
    ? `6${address}`
    : `4${address
        .split(".")
        .map((part) => part.padStart(3, "0"))
        .join(".")}`;
  return `${padded} ${String(port).padStart(5, "0")}`;
}

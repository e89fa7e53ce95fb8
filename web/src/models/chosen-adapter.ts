/** The adapter whose packets are shown. It stays chosen until a person chooses another. */

import { computed, signal } from "@preact/signals";
import type { Adapter } from "../api/types";

interface Chosen {
  /** "" while no adapter of this name has been seen. */
  readonly guid: string;
  readonly name: string;
  /** What it was called when a person chose it. */
  readonly first: string;
  /** Whether another adapter of the same name took the place of the one that was chosen. */
  readonly isRemade?: boolean;
}

const NONE: Chosen = { guid: "", name: "", first: "" };

export class ChosenAdapter {
  private readonly chosen = signal<Chosen>(NONE);
  private readonly there = computed(() => {
    const { guid } = this.chosen.value;
    return this.list().find((one) => one.guid === guid);
  });
  /** Its name, also when it was deleted or has never been there; "" when none is chosen. */
  readonly name = computed(() => this.there.value?.name ?? this.chosen.value.name);
  /** Its name when it was chosen, if it has another one now; else "". */
  readonly former = computed(() => {
    const { first } = this.chosen.value;
    return this.there.value === undefined || first === this.name.value ? "" : first;
  });
  readonly guid = computed(() => this.chosen.value.guid);
  readonly state = computed<"none" | "unknown" | "gone" | "there">(() => {
    const { guid, name } = this.chosen.value;
    if (name === "") return "none";
    if (this.there.value !== undefined) return "there";
    return guid === "" ? "unknown" : "gone";
  });

  /** Its state as a place to send to: one that was made again is not the one that was chosen. */
  readonly targetState = computed(() => (this.chosen.value.isRemade ? "gone" : this.state.value));
  /** The adapter to send to; "" for one that nobody chose. */
  readonly target = computed(() => (this.chosen.value.isRemade ? "" : this.guid.value));
  /** Whether the service was started again since the adapter was seen: GUIDs may be others. */
  private isAnew = false;

  /** `list` gives the adapters that there are, and subscribes to them. */
  constructor(private readonly list: () => readonly Adapter[]) {}

  choose({ guid, name }: Pick<Adapter, "guid" | "name">): void {
    this.chosen.value = { guid, name, first: name };
  }

  /** Choose by the name in an address: it may be that there is no adapter of that name, or not yet. */
  chooseName(name: string): void {
    if (name === this.name.peek()) return;
    this.chosen.value = { guid: "", name, first: name };
    this.resolve();
  }

  /** Find the adapter that is chosen: one that was made again has its name and another GUID. */
  resolve(): void {
    const chosen = this.chosen.peek();
    const { guid, name } = chosen;
    if (name === "") return;
    const list = this.list();
    const found = list.find((one) => one.guid === guid) ?? list.find((one) => one.name === name);
    if (found === undefined) return;
    const isOther = found.guid !== guid && guid !== "" && !this.isAnew;
    this.isAnew = false;
    if (found.guid === guid && found.name === name) return;
    const isRemade = isOther || chosen.isRemade === true;
    this.chosen.value = { ...chosen, guid: found.guid, name: found.name, isRemade };
  }

  /** The service was started again: an adapter of the same name is the one that was chosen. */
  renew(): void {
    this.isAnew = true;
  }

  clear(): void {
    this.chosen.value = NONE;
  }
}

/** The adapter whose packets are shown. It stays chosen until a person chooses another. */

import { computed, signal } from "@preact/signals";
import type { Adapter } from "../api/types";

interface Chosen {
  /** "" while no adapter of this name has been seen. */
  readonly guid: string;
  readonly name: string;
  /** What it was called when a person chose it. */
  readonly first: string;
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
    const { guid, name, first } = this.chosen.peek();
    if (name === "") return;
    const list = this.list();
    const found = list.find((one) => one.guid === guid) ?? list.find((one) => one.name === name);
    if (found === undefined || (found.guid === guid && found.name === name)) return;
    this.chosen.value = { guid: found.guid, name: found.name, first };
  }

  clear(): void {
    this.chosen.value = NONE;
  }
}

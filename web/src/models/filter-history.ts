/** The filters that were used last, and those that were given a name. Both outlive the page. */

import { signal } from "@preact/signals";
import type { Store } from "../api/store";

export interface NamedFilter {
  readonly name: string;
  readonly text: string;
}

const RECENT = "wintun-api.filters.recent";
const SAVED = "wintun-api.filters.saved";
/** More are not kept; of the recent ones the oldest goes. */
export const MOST_RECENT = 20;
export const MOST_SAVED = 50;
const LONGEST = 2000;

export class FilterHistory {
  /** The newest first. */
  readonly recent = signal<readonly string[]>([]);
  /** In the order of their names. */
  readonly saved = signal<readonly NamedFilter[]>([]);

  constructor(private readonly store: Store) {
    this.recent.value = list(store, RECENT).filter((one) => typeof one === "string");
    this.saved.value = list(store, SAVED).filter(isNamed);
  }

  /** Put a filter in front of those that were used. */
  remember(text: string): void {
    const used = text.trim();
    if (used === "" || used.length > LONGEST || this.recent.peek()[0] === used) return;
    const others = this.recent.peek().filter((one) => one !== used);
    this.recent.value = [used, ...others].slice(0, MOST_RECENT);
    this.write(RECENT, this.recent.peek());
  }

  /** Keep a filter under a name, in place of one that has it. Returns why not, or "". */
  save(name: string, text: string): string {
    const called = name.trim();
    if (called === "") return "Enter a name for the filter.";
    if (text.trim() === "") return "There is no filter to save.";
    const others = this.saved.peek().filter((one) => one.name !== called);
    if (others.length >= MOST_SAVED) return `Only ${MOST_SAVED} filters can be saved. Delete one.`;
    const all = [...others, { name: called, text: text.trim() }];
    this.saved.value = all.sort((a, b) => a.name.localeCompare(b.name));
    this.write(SAVED, this.saved.peek());
    return "";
  }

  /** Forget a filter by its name. */
  remove(name: string): void {
    this.saved.value = this.saved.peek().filter((one) => one.name !== name);
    this.write(SAVED, this.saved.peek());
  }

  private write(name: string, value: readonly unknown[]): void {
    this.store.setItem(name, JSON.stringify(value));
  }
}

function isNamed(value: unknown): value is NamedFilter {
  const { name, text } = (value ?? {}) as Partial<NamedFilter>;
  return typeof name === "string" && typeof text === "string";
}

/** Return the list that the store has; nothing where it has none, or something else. */
function list(store: Store, name: string): unknown[] {
  try {
    const value: unknown = JSON.parse(store.getItem(name) ?? "[]");
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** The adapters, as events keep them, and what can be done to them. */

import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Adapter, AdapterCreate, AdapterUpdate, Release, Removal } from "../api/types";

export class AdaptersModel {
  private readonly known = signal<ReadonlyMap<string, Adapter>>(new Map());
  /** By name. */
  readonly list = computed(() =>
    [...this.known.value.values()].sort(
      (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }) || (a.guid < b.guid ? -1 : 1),
    ),
  );
  private readonly chosen = signal<string | null>(null);
  /** The adapter whose details are shown. */
  readonly selected = computed(() => this.find(this.chosen.value ?? "") ?? this.only());
  /** A selected adapter that has gone, until another is selected. */
  readonly gone = signal<Adapter | null>(null);
  /** The name of an adapter that an address asks for, while there is none of that name. */
  readonly asked = signal("");

  constructor(private readonly client: Client) {}

  find(guid: string): Adapter | undefined {
    return this.known.value.get(guid);
  }

  select(guid: string | null): void {
    this.chosen.value = guid;
    this.gone.value = null;
    this.asked.value = "";
  }

  /** Begin anew with these. */
  reset(adapters: readonly Adapter[]): void {
    const lost = this.selected.peek();
    this.known.value = new Map(adapters.map((adapter) => [adapter.guid, adapter]));
    if (lost !== undefined && this.find(lost.guid) === undefined) this.gone.value = lost;
  }

  put(adapter: Adapter): void {
    this.known.value = new Map(this.known.value).set(adapter.guid, adapter);
  }

  remove(guid: string): void {
    const adapter = this.find(guid);
    if (adapter === undefined) return;
    if (this.selected.peek()?.guid === guid) {
      this.gone.value = adapter;
      this.chosen.value = null;
    }
    const left = new Map(this.known.value);
    left.delete(guid);
    this.known.value = left;
  }

  async create(body: AdapterCreate): Promise<Adapter> {
    return this.show(await this.client.post<Adapter>("/v1/adapters", body));
  }

  async open(name: string, pool: string): Promise<Adapter> {
    return this.show(await this.client.post<Adapter>("/v1/adapters/open", { name, pool }));
  }

  async update(guid: string, body: AdapterUpdate): Promise<void> {
    this.put(await this.client.patch<Adapter>(`/v1/adapters/${guid}`, body));
  }

  /** Apply again what was requested from the service. */
  async restore(guid: string): Promise<void> {
    this.put(await this.client.post<Adapter>(`/v1/adapters/${guid}/restore`));
  }

  /** Remove the device; the answer says whether the system wants a reboot. */
  delete(guid: string, force: boolean): Promise<Removal> {
    return this.client.delete<Removal>(`/v1/adapters/${guid}${force ? "?force=true" : ""}`);
  }

  /** Give the handle back; the answer says whether the device is still there. */
  release(guid: string): Promise<Release> {
    return this.client.post<Release>(`/v1/adapters/${guid}/release`);
  }

  /** Return the only adapter there is, which nobody needs to select. */
  private only(): Adapter | undefined {
    const [first, second] = this.list.value;
    const isOnly = second === undefined && this.gone.value === null && this.asked.value === "";
    return isOnly ? first : undefined;
  }

  private show(adapter: Adapter): Adapter {
    this.put(adapter);
    this.select(adapter.guid);
    return adapter;
  }
}

/** What the service and its driver are, and what this token allows. */

import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Driver, Scope, System } from "../api/types";

export class ServiceModel {
  readonly system = signal<System | null>(null);
  readonly driver = signal<Driver | null>(null);
  readonly scopes = computed<ReadonlySet<Scope>>(() => new Set(this.system.value?.scopes));
  readonly isAdmin = computed(() => this.can("admin"));
  /** What this generation of Wintun calls the group that an adapter belongs to. */
  readonly poolWord = computed(() =>
    this.driver.value?.generation === "tunnel-type" ? "Tunnel type" : "Pool",
  );

  constructor(private readonly client: Client) {}

  /** Say whether the token has the scope; admin has all. */
  can(scope: Scope): boolean {
    return this.scopes.value.has(scope) || this.scopes.value.has("admin");
  }

  /** Read what the driver is now: its version is there once it is loaded. */
  async loadDriver(): Promise<void> {
    this.driver.value = await this.client.get<Driver>("/v1/driver").catch(() => this.driver.peek());
  }
}

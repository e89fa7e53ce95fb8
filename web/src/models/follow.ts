/** The conversation that is being followed, and how it is read. */

import { signal } from "@preact/signals";
import type { Followed, How } from "../analysis/conversation";
import type { EngineModel } from "./engine";

export type FollowState =
  | { readonly name: "closed" }
  | { readonly name: "loading"; readonly id: number; readonly how: How }
  | { readonly name: "shown"; readonly followed: Followed }
  | { readonly name: "failed"; readonly reason: string };

const GONE = "This conversation is no longer kept: too many others came after it.";
const FAILED = "The conversation could not be read. Try again.";

export class FollowModel {
  readonly state = signal<FollowState>({ name: "closed" });
  /** Counts what was asked for, so that a late answer to an earlier question is no answer. */
  private asked = 0;

  constructor(private readonly engine: EngineModel) {}

  /** Put a conversation together from the packets that are kept. */
  async open(id: number, how: How): Promise<void> {
    const asked = ++this.asked;
    this.state.value = { name: "loading", id, how };
    let next: FollowState;
    try {
      const followed = await this.engine.follow(id, how);
      next = followed === null ? { name: "failed", reason: GONE } : { name: "shown", followed };
    } catch {
      next = { name: "failed", reason: FAILED };
    }
    if (asked === this.asked) this.state.value = next;
  }

  close(): void {
    this.asked++;
    this.state.value = { name: "closed" };
  }
}

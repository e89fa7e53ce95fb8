/** One thing a dialog does: whether it is under way, and why it failed. */

import { signal } from "@preact/signals";
import { problemOfError } from "../api/client";
import type { Problem } from "../api/types";

export class Attempt {
  readonly busy = signal(false);
  readonly problem = signal<Problem | null>(null);

  /** Do it; false when it failed, or is under way already. */
  async run(action: () => Promise<unknown>): Promise<boolean> {
    if (this.busy.value) return false;
    this.busy.value = true;
    this.problem.value = null;
    try {
      await action();
      return true;
    } catch (error) {
      this.problem.value = problemOfError(error);
      return false;
    } finally {
      this.busy.value = false;
    }
  }
}

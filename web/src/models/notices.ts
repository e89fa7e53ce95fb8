/** Short news of what was done or failed; the newest takes the place of the one before. */

import { signal } from "@preact/signals";
import { problemOfError } from "../api/client";
import type { Problem } from "../api/types";

export interface Notice {
  readonly failed: boolean;
  readonly text: string;
  readonly problem: Problem | null;
}

export class NoticesModel {
  readonly current = signal<Notice | null>(null);
  /** What is under way; its buttons wait. */
  readonly busy = signal("");

  say(text: string): void {
    this.current.value = { failed: false, text, problem: null };
  }

  /** Tell what is wrong, in the page's own words. */
  warn(text: string): void {
    this.current.value = { failed: true, text, problem: null };
  }

  /** Tell what failed, and what to do. */
  fail(what: string, error: unknown): void {
    const problem = problemOfError(error);
    this.current.value = { failed: true, text: `${what}: ${problem.detail}`, problem };
  }

  dismiss(): void {
    this.current.value = null;
  }

  /** Do something and tell how it went; `done` makes the news of the answer. */
  async attempt<T>(what: string, action: () => Promise<T>, done: (answer: T) => string) {
    if (this.busy.value !== "") return false;
    this.busy.value = what;
    try {
      this.say(done(await action()));
      return true;
    } catch (error) {
      this.fail(what, error);
      return false;
    } finally {
      this.busy.value = "";
    }
  }
}

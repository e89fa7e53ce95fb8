/** A filter of libpcap's that is being typed: the service says whether it is one. */

import { signal } from "@preact/signals";
import { problemOfError } from "../api/client";
import type { FilterVerdict } from "../api/types";

/** Milliseconds without a key before the service is asked. */
const PAUSE = 300;
const UNAVAILABLE = 501;

export type FilterState =
  | { readonly name: "empty" | "checking" | "valid" }
  /** `offset` is the place of the fault, in characters. */
  | { readonly name: "wrong"; readonly message: string; readonly offset: number }
  /** The service has no libpcap; `message` says what to do. */
  | { readonly name: "unavailable" | "unchecked"; readonly message: string };

export class FilterCheck {
  readonly text = signal("");
  readonly state = signal<FilterState>({ name: "empty" });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private latest = 0;

  constructor(private readonly ask: (filter: string) => Promise<FilterVerdict>) {}

  /** Take what is typed, and check it once nothing more is typed for a moment. */
  set(text: string): void {
    this.text.value = text;
    this.forget();
    if (text.trim() === "") {
      this.state.value = { name: "empty" };
      return;
    }
    this.state.value = { name: "checking" };
    this.timer = setTimeout(() => void this.check(), PAUSE);
  }

  /** Check at once what was not checked yet; false when it is known to be wrong. */
  async mayBeSent(): Promise<boolean> {
    if (this.state.peek().name === "checking") {
      this.forget();
      await this.check();
    }
    return this.state.peek().name !== "wrong";
  }

  /** Show what the service said of it elsewhere. */
  refuse(message: string): void {
    this.forget();
    const known = this.state.peek();
    if (known.name === "wrong") return;
    this.state.value = { name: "wrong", message, offset: this.text.peek().length };
  }

  /** Do not ask any more. */
  forget(): void {
    clearTimeout(this.timer);
    this.latest++;
  }

  private async check(): Promise<void> {
    const turn = ++this.latest;
    const state = await this.verdict(this.text.peek());
    // An answer about what is no longer there is of no use.
    if (turn === this.latest) this.state.value = state;
  }

  private async verdict(text: string): Promise<FilterState> {
    try {
      const { valid, error } = await this.ask(text);
      if (valid || error == null) return { name: "valid" };
      return { name: "wrong", message: error.message, offset: error.offset };
    } catch (error) {
      const { status, detail, hint } = problemOfError(error);
      const message = [detail, hint].filter(Boolean).join(" ");
      return { name: status === UNAVAILABLE ? "unavailable" : "unchecked", message };
    }
  }
}

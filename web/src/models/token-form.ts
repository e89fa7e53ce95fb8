/** The form of a new token: its name, what it allows, how long it is valid. */

import { computed, signal } from "@preact/signals";
import type { Scope, TokenCreate } from "../api/types";
import { Attempt } from "./attempt";
import { unseenRule } from "./rules";

const MAX_NAME = 100;
const DAY = 86_400;
const TEN_YEARS = 3660 * DAY;

export const SCOPES: readonly (readonly [Scope, string])[] = [
  ["read", "See adapters, sessions, captures and events, but no packets."],
  ["capture", "Receive packets, and record captures."],
  ["inject", "Send packets to the host."],
  ["metrics", "Read the metrics for Prometheus, and nothing else."],
  ["admin", "Everything, including changing adapters, creating tokens and disconnecting clients."],
];

/** Seconds, or how else it is said when the token expires. */
export const EXPIRIES = [
  ["3600", "In 1 hour"],
  [String(DAY), "In 1 day"],
  [String(7 * DAY), "In 7 days"],
  [String(30 * DAY), "In 30 days"],
  [String(90 * DAY), "In 90 days"],
  ["date", "On a date…"],
  ["never", "Never"],
] as const;

export class TokenForm {
  readonly name = signal("");
  readonly scopes = signal<ReadonlySet<Scope>>(new Set(["read"]));
  readonly expiry = signal<string>(String(30 * DAY));
  /** What a field for a date and a time holds, in the browser's zone. */
  readonly date = signal("");
  private readonly attempt = new Attempt();
  readonly busy = this.attempt.busy;
  readonly problem = this.attempt.problem;
  /** Whether what is wrong is told: not before the first try. */
  private readonly isTold = signal(false);

  /** What is wrong with each field; "" if nothing is. */
  readonly errors = computed(() => {
    if (!this.isTold.value) return { name: "", scopes: "", date: "" };
    return {
      name:
        [...this.name.value.trim()].length > MAX_NAME
          ? `A name can have at most ${MAX_NAME} characters.`
          : unseenRule(this.name.value.trim()),
      scopes: this.scopes.value.size === 0 ? "Choose at least one scope." : "",
      date: this.dateError(),
    };
  });

  /** Allow it or not. `admin` allows everything, so the others do not matter beside it. */
  toggle(scope: Scope): void {
    const next = new Set(this.scopes.value);
    if (!next.delete(scope)) next.add(scope);
    this.scopes.value = next;
  }

  /** Send it, if nothing is wrong; return whether it was sent. */
  async submit(send: (body: TokenCreate) => Promise<unknown>): Promise<boolean> {
    this.isTold.value = true;
    if (Object.values(this.errors.value).some(Boolean)) return false;
    return this.attempt.run(() => send(this.body()));
  }

  private body(): TokenCreate {
    const seconds = this.seconds();
    const body = { label: this.name.value.trim(), scopes: [...this.scopes.value].sort() };
    return seconds === null ? body : { ...body, expires_in: seconds };
  }

  private seconds(): number | null {
    const { value } = this.expiry;
    if (value === "never") return null;
    return value === "date" ? (Date.parse(this.date.value) - Date.now()) / 1000 : Number(value);
  }

  private dateError(): string {
    if (this.expiry.value !== "date") return "";
    const seconds = this.seconds() ?? Number.NaN;
    if (Number.isNaN(seconds)) return "Enter a date and a time.";
    if (seconds <= 0) return "Choose a time in the future.";
    return seconds > TEN_YEARS ? "A token can be valid for ten years at most." : "";
  }
}

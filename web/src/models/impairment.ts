/** The impairment of one session: what it is and did, as told and as asked for, and its form. */

import { computed, effect, signal } from "@preact/signals";
import { problemOfError } from "../api/client";
import type { ActiveRule, ImpairmentCounters, Preset, SessionImpairment } from "../api/types";
import { Attempt } from "./attempt";
import { ImpairmentForm } from "./impairment-form";
import { Polling } from "./polling";
import type { SessionsModel } from "./sessions";

/** What is counted, in the order in which it is shown. */
export const COUNTERS: readonly (readonly [Counter, label: string])[] = [
  ["offered", "Arrived"],
  ["duplicated", "Duplicated"],
  ["delivered", "Delivered"],
  ["delayed", "Delayed now"],
  ["lost", "Lost at random"],
  ["limit", "Lost: queue full"],
  ["blackout", "Lost during a blackout"],
  ["too_large", "Lost: too large"],
  ["dropped", "Lost when it changed"],
  ["corrupted", "Corrupted"],
  ["reordered", "Reordered"],
];
export const LOSSES: readonly Counter[] = ["lost", "limit", "blackout", "too_large", "dropped"];
export type Counter = Exclude<keyof ImpairmentCounters, "too_big_replies">;

export class ImpairmentModel {
  /** What is set now; null if nothing is. */
  readonly active = signal<SessionImpairment | null>(null);
  /** The newest counters, those of an impairment that was removed too. */
  readonly last = signal<SessionImpairment | null>(null);
  readonly presets = signal<readonly Preset[]>([]);
  readonly form = new ImpairmentForm();
  private readonly attempt = new Attempt();
  readonly busy = this.attempt.busy;
  /** What the service said that belongs to no field. */
  readonly problem = signal<ReturnType<typeof problemOfError> | null>(null);
  /** Whether the form cannot show what is set: rules or a scenario of another program. */
  readonly isForeign = computed(() => {
    const rules = this.active.value?.rules;
    return rules !== undefined && !(rules.length === 1 && rules.every(isPlain));
  });
  private readonly polling = new Polling();
  private unlisten: () => void = () => undefined;

  constructor(
    private readonly sessions: SessionsModel,
    readonly session: string,
  ) {}

  /** Read what there is every second until `rest`; nothing is asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.rest();
    const before = this.sessions.news.peek();
    this.unlisten = effect(() => {
      const news = this.sessions.news.value;
      if (news === null || news === before || news.of.session !== this.session) return;
      this.take(news.of, news.removed);
    });
    void this.readPresets();
    this.polling.begin(hidden, () => this.read());
  }

  rest(): void {
    this.polling.rest();
    this.unlisten();
  }

  /** Set what the form says; the answer is null if it was refused. */
  async apply(): Promise<SessionImpairment | null> {
    this.problem.value = null;
    if (this.form.isEmpty.value || !this.form.check()) return null;
    return this.ask(async () => {
      const now = await this.sessions.impair(this.session, this.form.body());
      this.form.fill(now);
      return now;
    });
  }

  /** Remove it; the answer has what it did, and is null if that failed. */
  remove(): Promise<SessionImpairment | null> {
    return this.ask(() => this.sessions.repair(this.session));
  }

  /** Let the form show what is set, instead of what was typed. */
  reset(): void {
    this.problem.value = null;
    this.form.fill(this.isForeign.peek() ? null : this.active.peek());
  }

  /** Begin to replace the rules of another program: with what holds now, or what was typed. */
  replace(): void {
    if (!this.form.changed.peek()) this.form.fill(this.active.peek());
  }

  private async ask(action: () => Promise<SessionImpairment>): Promise<SessionImpairment | null> {
    let answer: SessionImpairment | null = null;
    const done = await this.attempt.run(async () => {
      answer = await action();
    });
    if (done) return answer;
    const problem = this.attempt.problem.peek();
    if (problem !== null && !this.form.refuse(problem)) this.problem.value = problem;
    return null;
  }

  private async read(): Promise<void> {
    // Without one the service answers 404, and the browser calls that an error.
    if (this.sessions.find(this.session)?.impairment == null) {
      this.active.value = null;
      return;
    }
    const before = this.sessions.news.peek();
    try {
      const answer = await this.sessions.impairment(this.session);
      // What was said since the question is newer than this answer.
      if (this.sessions.news.peek() === before) this.take(answer, false);
    } catch (error) {
      if (problemOfError(error).status === 404) this.active.value = null;
    }
  }

  private take(of: SessionImpairment, removed: boolean): void {
    const before = this.active.peek();
    this.last.value = of;
    this.active.value = removed ? null : of;
    // What another program sets is shown, unless it would undo what is typed.
    const isNew = !removed && of.set_at !== before?.set_at;
    if (isNew && !this.isForeign.peek() && !this.form.changed.peek()) this.form.fill(of);
  }

  private async readPresets(): Promise<void> {
    this.presets.value = await this.sessions.presets().catch(() => this.presets.peek());
  }
}

function isPlain({ match, scenario }: ActiveRule): boolean {
  return match == null && scenario == null;
}

/** The sessions: their state as events tell it, their counters as they are asked for. */

import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Session } from "../api/types";
import { Rates } from "./rates";

const PERIOD = 1000;

export class SessionsModel {
  private readonly known = signal<ReadonlyMap<string, Session>>(new Map());
  readonly list = computed(() => [...this.known.value.values()]);
  readonly running = computed(() => this.list.value.filter(isRunning));
  /** Called with each session whose counters were read. */
  onCounters: (session: Session, timeMs: number) => void = () => undefined;
  private readonly ratesOf = new Map<string, Rates>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: (() => Promise<void>) | null = null;

  constructor(private readonly client: Client) {}

  find(id: string | null): Session | undefined {
    return id === null ? undefined : this.known.value.get(id);
  }

  /** The newest session of an adapter, running or not. */
  of(adapter: string): Session | undefined {
    return this.list.value
      .filter((session) => session.adapter === adapter)
      .reduce<Session | undefined>(
        (best, one) => (best === undefined || one.started_at > best.started_at ? one : best),
        undefined,
      );
  }

  rates(id: string): Rates {
    let rates = this.ratesOf.get(id);
    if (rates === undefined) {
      rates = new Rates();
      this.ratesOf.set(id, rates);
    }
    return rates;
  }

  /** Begin anew with these. */
  reset(sessions: readonly Session[]): void {
    this.known.value = new Map(sessions.map((session) => [session.id, session]));
    for (const id of this.ratesOf.keys()) {
      if (!this.known.value.has(id)) this.ratesOf.delete(id);
    }
  }

  /** Take a session; of an adapter's that are over only the newest is kept. */
  put(session: Session): void {
    const next = new Map(this.known.peek());
    for (const [id, other] of next) {
      if (other.adapter === session.adapter && !isRunning(other)) next.delete(id);
    }
    this.known.value = next.set(session.id, session);
  }

  /** Forget the sessions of an adapter that is no more. */
  forget(adapter: string): void {
    const left = [...this.known.peek().values()].filter((one) => one.adapter !== adapter);
    this.reset(left);
  }

  async start(adapter: string, capacity: number): Promise<Session> {
    const session = await this.client.post<Session>("/v1/sessions", { adapter, capacity });
    this.put(session);
    return session;
  }

  async end(id: string): Promise<void> {
    this.put(await this.client.delete<Session>(`/v1/sessions/${id}`));
  }

  /** Read the counters every second until `rest`; none are asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.rest();
    const turn = async () => {
      if (!hidden() && this.running.peek().length > 0) await this.read();
      if (this.turn === turn) this.timer = setTimeout(turn, PERIOD);
    };
    this.turn = turn;
    void turn();
  }

  rest(): void {
    clearTimeout(this.timer);
    this.turn = null;
  }

  private async read(): Promise<void> {
    // The connection's own state tells when the service is away.
    const sessions = await this.client.get<Session[]>("/v1/sessions").catch(() => null);
    if (sessions === null) return;
    const now = Date.now();
    const next = new Map(this.known.peek());
    for (const session of sessions) {
      next.set(session.id, session);
      this.rates(session.id).sample(session.counters, now);
      this.onCounters(session, now);
    }
    this.known.value = next;
  }
}

export function isRunning(session: Session): boolean {
  return session.state === "running" || session.state === "starting";
}

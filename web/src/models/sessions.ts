/** The sessions: their state as events tell it, their counters as they are asked for. */

import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type {
  ImpairmentSet,
  Preset,
  Recorder,
  RecorderSet,
  Session,
  SessionImpairment,
} from "../api/types";
import { Polling } from "./polling";
import { Rates } from "./rates";

/** Why a session ends with its service. */
const STOPPING = "The service is shutting down.";

/** The summary of an impairment that does nothing to any packet. */
const NOTHING = "nothing";

export interface ImpairmentNews {
  readonly of: SessionImpairment;
  readonly removed: boolean;
}

export class SessionsModel {
  private readonly known = signal<ReadonlyMap<string, Session>>(new Map());
  readonly list = computed(() => [...this.known.value.values()]);
  readonly running = computed(() => this.list.value.filter(isRunning));
  /** Those whose network is bad on request. */
  readonly impaired = computed(() => this.running.value.filter((one) => one.impairment != null));
  /** The newest that an event or an answer said of an impairment. */
  readonly news = signal<ImpairmentNews | null>(null);
  /** Called with each session whose counters were read. */
  onCounters: (session: Session, timeMs: number) => void = () => undefined;
  /** The ids of those that ended because their service did. */
  private stopped: ReadonlySet<string> = new Set();
  private readonly ratesOf = new Map<string, Rates>();
  private readonly polling = new Polling();

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

  /** Say whether a session that is no longer known ended because its service did. */
  stoppedWithService(id: string | null): boolean {
    return id !== null && this.find(id) === undefined && this.stopped.has(id);
  }

  /** What is done to the packets of an adapter on request, in one line; null if nothing. */
  impairmentOf(adapter: string): string | null {
    const session = this.of(adapter);
    return session !== undefined && isRunning(session) ? (session.impairment ?? null) : null;
  }

  rates(id: string): Rates {
    let rates = this.ratesOf.get(id);
    if (rates === undefined) {
      rates = new Rates();
      this.ratesOf.set(id, rates);
    }
    return rates;
  }

  /** Begin anew with these; `isAnew` says that the service was started again since the last time. */
  reset(sessions: readonly Session[], isAnew = false): void {
    if (isAnew) {
      const ran = this.list.peek().filter((one) => isRunning(one) || one.reason === STOPPING);
      this.stopped = new Set(ran.map(({ id }) => id));
    }
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

  presets(): Promise<Preset[]> {
    return this.client.get<Preset[]>("/v1/impairments/presets");
  }

  impairment(id: string): Promise<SessionImpairment> {
    return this.client.get<SessionImpairment>(`/v1/sessions/${id}/impairment`);
  }

  async impair(id: string, body: ImpairmentSet): Promise<SessionImpairment> {
    const now = await this.client.put<SessionImpairment>(`/v1/sessions/${id}/impairment`, body);
    this.putImpairment(now, false);
    return now;
  }

  async repair(id: string): Promise<SessionImpairment> {
    const last = await this.client.delete<SessionImpairment>(`/v1/sessions/${id}/impairment`);
    this.putImpairment(last, true);
    return last;
  }

  /** Take what an event or an answer said of the impairment of a session. */
  putImpairment(of: SessionImpairment, removed: boolean): void {
    const session = this.known.peek().get(of.session);
    if (session === undefined) return;
    const news = { of, removed };
    this.known.value = new Map(this.known.peek()).set(session.id, {
      ...session,
      impairment: lineOf(news),
    });
    this.news.value = news;
  }

  /** Take what an event said that an impairment does from a step of its scenario on. */
  putStep(id: string, summary: string): void {
    const session = this.known.peek().get(id);
    // One that has ended, or whose impairment was removed, has no line.
    if (session?.impairment == null) return;
    this.known.value = new Map(this.known.peek()).set(id, { ...session, impairment: summary });
  }

  /** Let the service keep the last packets of a session, or change how many. */
  async record(id: string, body: RecorderSet): Promise<void> {
    this.putRecorder(await this.client.put<Recorder>(`/v1/sessions/${id}/recorder`, body), false);
  }

  /** Switch its recorder off; the answer says what it had. */
  async forgetRecorded(id: string): Promise<Recorder> {
    const last = await this.client.delete<Recorder>(`/v1/sessions/${id}/recorder`);
    this.putRecorder(last, true);
    return last;
  }

  /** Return what was recorded in the last seconds, as a capture file. */
  recorded(id: string, seconds: number): Promise<Blob> {
    return this.client.download(`/v1/sessions/${id}/recorder.pcapng?since=-${seconds}s`);
  }

  /** Take what an event or an answer said of the recorder of a session. */
  putRecorder(recorder: Recorder, removed: boolean): void {
    const session = this.known.peek().get(recorder.session);
    if (session === undefined) return;
    const next = { ...session, recorder: removed ? null : recorder };
    this.known.value = new Map(this.known.peek()).set(session.id, next);
  }

  /** Read the counters every second until `rest`; none are asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.polling.begin(hidden, () => this.running.peek().length > 0 && this.read());
  }

  rest(): void {
    this.polling.rest();
  }

  private async read(): Promise<void> {
    const before = this.news.peek();
    const knownBefore = this.known.peek();
    // The connection's own state tells when the service is away.
    const sessions = await this.client.get<Session[]>("/v1/sessions").catch(() => null);
    if (sessions === null) return;
    const now = Date.now();
    const next = new Map(this.known.peek());
    const news = this.news.peek();
    for (const session of sessions) {
      // What was said of an impairment since the question is newer than this answer.
      const isOld = news !== null && news !== before && news.of.session === session.id;
      // And so is what was said of its recorder.
      const recorder = next.get(session.id)?.recorder;
      const wasSaid = recorder !== knownBefore.get(session.id)?.recorder;
      next.set(session.id, {
        ...session,
        ...(isOld && { impairment: lineOf(news) }),
        ...(wasSaid && { recorder: recorder ?? null }),
      });
      this.rates(session.id).sample(session.counters, now);
      this.onCounters(session, now);
    }
    this.known.value = next;
  }
}

function lineOf({ of, removed }: ImpairmentNews): string | null {
  return removed || of.summary === NOTHING ? null : of.summary;
}

export function isRunning(session: Session): boolean {
  return session.state === "running" || session.state === "starting";
}

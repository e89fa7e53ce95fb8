/** The named captures of the service: as events tell them, their counts as they are asked for. */

import { computed, signal } from "@preact/signals";
import { type Client, problemOfError } from "../api/client";
import type { Capture, CaptureCreate, FilterVerdict, Problem } from "../api/types";
import { Polling } from "./polling";

const PATH = "/v1/captures";

export class CapturesModel {
  private readonly known = signal<ReadonlyMap<string, Capture> | null>(null);
  /** The newest first; null until they were read. */
  readonly list = computed(() => {
    const known = this.known.value;
    return known && [...known.values()].sort(newestFirst);
  });
  /** Why they could not be read. */
  readonly problem = signal<Problem | null>(null);
  private readonly chosen = signal<string | null>(null);
  /** The capture whose files are shown. */
  readonly selected = computed(() => this.known.value?.get(this.chosen.value ?? ""));
  private readonly polling = new Polling();
  /** Whether all that there are have been read, so that only those that change are read again. */
  private isWhole = false;

  constructor(private readonly client: Client) {}

  select(id: string | null): void {
    this.chosen.value = id;
  }

  /** Take what an event or an answer said of a capture. */
  put(capture: Capture): void {
    this.change([[capture.id, capture]]);
  }

  remove(id: string): void {
    this.change([[id, null]]);
  }

  /** Read all of them again: there may have been events that this page did not get. */
  doubt(): void {
    this.isWhole = false;
  }

  /** Forget all. */
  clear(): void {
    this.known.value = null;
    this.chosen.value = null;
    this.doubt();
  }

  /** Read the counts every second until `rest`; none are asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.doubt();
    this.polling.begin(hidden, () => (this.isWhole ? this.readActive() : this.readAll()));
  }

  rest(): void {
    this.polling.rest();
  }

  check(filter: string): Promise<FilterVerdict> {
    return this.client.post<FilterVerdict>("/v1/filters/check", { filter });
  }

  async start(body: CaptureCreate): Promise<Capture> {
    const capture = await this.client.post<Capture>(PATH, body);
    this.put(capture);
    this.select(capture.id);
    return capture;
  }

  async stop(id: string): Promise<void> {
    this.put(await this.client.post<Capture>(`${PATH}/${id}/stop`));
  }

  async trigger(id: string): Promise<void> {
    this.put(await this.client.post<Capture>(`${PATH}/${id}/trigger`));
  }

  /** Stop it if it runs, and delete its files. */
  async delete(id: string): Promise<void> {
    await this.client.delete<Capture>(`${PATH}/${id}`);
    this.remove(id);
  }

  /** Return what a file has now; `signal` ends the download. */
  file(id: string, number: number, signal: AbortSignal): Promise<Blob> {
    return this.client.download(`${PATH}/${id}/files/${number}`, signal);
  }

  private async readAll(): Promise<void> {
    const before = this.known.peek();
    this.isWhole = true;
    try {
      const all = await this.client.get<Capture[]>(PATH);
      // What was said since the question is newer than this answer.
      if (this.known.peek() === before) this.known.value = new Map(all.map((one) => [one.id, one]));
      else this.doubt();
      this.problem.value = null;
    } catch (error) {
      this.problem.value = problemOfError(error);
      this.doubt();
    }
  }

  /** Read those that still change. What is older than an event is put right a second later. */
  private async readActive(): Promise<void> {
    const active = this.list.peek()?.filter(isChanging) ?? [];
    const read = async ({ id }: Capture): Promise<readonly [string, Capture | null] | null> => {
      try {
        return [id, await this.client.get<Capture>(`${PATH}/${id}`)];
      } catch (error) {
        return problemOfError(error).status === 404 ? [id, null] : null;
      }
    };
    const answers = await Promise.all(active.map(read));
    // One that was deleted meanwhile does not come back.
    const known = this.known.peek();
    this.change(
      answers.filter((one) => one !== null && known?.has(one[0])) as [string, Capture | null][],
    );
  }

  private change(changes: readonly (readonly [id: string, capture: Capture | null])[]): void {
    if (this.known.peek() === null || changes.length === 0) return;
    const next = new Map(this.known.peek());
    for (const [id, capture] of changes) {
      if (capture === null) next.delete(id);
      else next.set(id, capture);
    }
    this.known.value = next;
  }
}

/** Whether a capture may still write packets. */
export function isActive({ state }: Capture): boolean {
  return state === "waiting" || state === "running";
}

/** Whether its counts may still change. */
function isChanging(capture: Capture): boolean {
  return isActive(capture) || capture.state === "repairing";
}

function newestFirst(a: Capture, b: Capture): number {
  if (a.created_at === b.created_at) return 0;
  return a.created_at < b.created_at ? 1 : -1;
}

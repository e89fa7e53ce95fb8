/** The networks of many hosts, as agents report them to the service: read again while a page is open. */

import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Network, NetworkHost } from "../api/types";

/** Milliseconds between two readings; agents report every ten seconds. */
const PERIOD = 5000;
const PATH = "/v1/networks";

/** Packets per second. */
export interface HostRate {
  readonly sent: number;
  readonly delivered: number;
}

interface Sample extends HostRate {
  readonly timeMs: number;
  /** Since the sample before; null before there are two. */
  readonly rate: HostRate | null;
}

export class NetworksModel {
  /** Null until they were read. */
  readonly list = signal<readonly Network[] | null>(null);
  /** Whether there is one to be shown. */
  readonly isThere = computed(() => (this.list.value?.length ?? 0) > 0);
  private samples: ReadonlyMap<string, Sample> = new Map();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: (() => Promise<void>) | null = null;

  constructor(private readonly client: Client) {}

  /** What a host sends and gets, between its last two reports; null before there are two. */
  rate(network: Network, host: NetworkHost): HostRate | null {
    return this.samples.get(key(network, host))?.rate ?? null;
  }

  /** Read them every few seconds until `rest`; nothing is asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.rest();
    const turn = async () => {
      if (!hidden()) await this.read(() => this.turn === turn);
      if (this.turn === turn) this.timer = setTimeout(turn, PERIOD);
    };
    this.turn = turn;
    void turn();
  }

  rest(): void {
    clearTimeout(this.timer);
    this.turn = null;
  }

  /** Forget all. */
  clear(): void {
    this.list.value = null;
    this.samples = new Map();
  }

  private async read(isWanted: () => boolean): Promise<void> {
    // The connection's own state tells when the service is away. An older one has no networks.
    const networks = await this.client.get<Network[]>(PATH).catch(() => null);
    if (networks === null || !isWanted()) return;
    const samples = new Map<string, Sample>();
    for (const network of networks) {
      for (const host of network.hosts) {
        const name = key(network, host);
        samples.set(name, sampled(this.samples.get(name), host));
      }
    }
    this.samples = samples;
    this.list.value = networks;
  }
}

function sampled(
  before: Sample | undefined,
  { seen, sent = 0, delivered = 0 }: NetworkHost,
): Sample {
  const timeMs = seen == null ? 0 : Date.parse(seen);
  const seconds = before === undefined ? 0 : (timeMs - before.timeMs) / 1000;
  if (before === undefined || seconds <= 0) {
    return { timeMs, sent, delivered, rate: before?.rate ?? null };
  }
  // A host whose counters began anew counts from 0 again.
  const rate = {
    sent: Math.max(0, sent - before.sent) / seconds,
    delivered: Math.max(0, delivered - before.delivered) / seconds,
  };
  return { timeMs, sent, delivered, rate };
}

function key(network: Network, host: NetworkHost): string {
  return `${network.name} ${host.id}`;
}

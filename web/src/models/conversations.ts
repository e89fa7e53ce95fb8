/**
 * Who talks with whom, and how much: the top talkers of the last two minutes. The host's own end
 * comes first: packets from the host have it as their source, those to the host as destination,
 * which may be a group that the host is in.
 *
 * Fixed tables over typed arrays, one for every ten seconds: nothing is allocated per packet. A
 * full table gives the place of its quietest neighbour away, so the loud ones stay (Metwally et
 * al., "Space-Saving", 2005).
 */

import { ipv4Text, ipv6Text } from "../packet/address";
import { u8 } from "../packet/bytes";
import type { Headers } from "../packet/headers";

const SLOTS = 1024; // a power of two
const PROBES = 8;
const KEY = 32;
const TABLES = 12;
const TABLE_SECONDS = 10;

export interface Conversation {
  /** The host's own end, or the group by which it was reached. */
  readonly a: string;
  readonly b: string;
  readonly packets: number;
  readonly receivedBytes: number;
  readonly injectedBytes: number;
}

class Table {
  private readonly keys = new Uint8Array(SLOTS * KEY);
  private readonly versions = new Uint8Array(SLOTS);
  /** Whether the higher of the two addresses is the host's own. */
  private readonly isHighOwn = new Uint8Array(SLOTS);
  private readonly packets = new Float64Array(SLOTS);
  private readonly received = new Float64Array(SLOTS);
  private readonly injected = new Float64Array(SLOTS);
  /** Whether the source of the packet that was looked at last is the higher of its addresses. */
  private isTurned = false;

  clear(): void {
    this.versions.fill(0);
    this.packets.fill(0);
    this.received.fill(0);
    this.injected.fill(0);
  }

  add(h: Headers): void {
    const slot = this.slotOf(h);
    this.isHighOwn[slot] = Number(this.isTurned !== h.injected);
    this.packets[slot] = (this.packets[slot] ?? 0) + 1;
    const bytes = h.injected ? this.injected : this.received;
    bytes[slot] = (bytes[slot] ?? 0) + h.originalLength;
  }

  addTo(totals: Map<string, Conversation>): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const version = this.versions[slot];
      if (version === 0) continue;
      const at = slot * KEY;
      const text = version === 4 ? ipv4Text : ipv6Text;
      const [low, high] = [text(this.keys, at), text(this.keys, at + 16)];
      const [a, b] = this.isHighOwn[slot] === 1 ? [high, low] : [low, high];
      const key = `${low} ${high}`;
      const before = totals.get(key);
      totals.set(key, {
        a,
        b,
        packets: (before?.packets ?? 0) + (this.packets[slot] ?? 0),
        receivedBytes: (before?.receivedBytes ?? 0) + (this.received[slot] ?? 0),
        injectedBytes: (before?.injectedBytes ?? 0) + (this.injected[slot] ?? 0),
      });
    }
  }

  private slotOf(h: Headers): number {
    const size = h.version === 4 ? 4 : 16;
    let low = h.ip + (h.version === 4 ? 12 : 8);
    let high = low + size;
    const isTurned = isAfter(h.bytes, low, high, size);
    if (isTurned) [low, high] = [high, low];
    this.isTurned = isTurned;
    let hash = 0x811c9dc5; // FNV-1a
    for (let i = 0; i < size; i++) hash = Math.imul(hash ^ u8(h.bytes, low + i), 0x01000193);
    for (let i = 0; i < size; i++) hash = Math.imul(hash ^ u8(h.bytes, high + i), 0x01000193);
    const home = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    let quietest = home;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (home + probe) & (SLOTS - 1);
      if (this.versions[slot] === 0) return this.take(slot, h, low, high, size);
      if (this.versions[slot] === h.version && this.holds(slot, h.bytes, low, high, size))
        return slot;
      if ((this.packets[slot] ?? 0) < (this.packets[quietest] ?? 0)) quietest = slot;
    }
    return this.take(quietest, h, low, high, size);
  }

  private holds(slot: number, bytes: Uint8Array, low: number, high: number, size: number): boolean {
    const at = slot * KEY;
    for (let i = 0; i < size; i++) {
      if (this.keys[at + i] !== bytes[low + i] || this.keys[at + 16 + i] !== bytes[high + i])
        return false;
    }
    return true;
  }

  private take(slot: number, h: Headers, low: number, high: number, size: number): number {
    const at = slot * KEY;
    for (let i = 0; i < size; i++) {
      this.keys[at + i] = u8(h.bytes, low + i);
      this.keys[at + 16 + i] = u8(h.bytes, high + i);
    }
    this.versions[slot] = h.version;
    this.received[slot] = this.injected[slot] = 0;
    return slot;
  }
}

export class Conversations {
  private readonly tables = Array.from({ length: TABLES }, () => new Table());
  private current = this.tables[0] as Table;
  private period = 0;

  /** Count a packet; `headers` must have a version. */
  add(headers: Headers): void {
    this.current.add(headers);
  }

  /** Say what second it is, so that what is old goes. */
  advance(second: number): void {
    const period = Math.floor(second / TABLE_SECONDS);
    if (period === this.period) return;
    const from = Math.max(this.period + 1, period - TABLES + 1);
    for (let each = from; each <= period; each++) this.tables[each % TABLES]?.clear();
    this.period = period;
    this.current = this.tables[period % TABLES] as Table;
  }

  /** Return the loudest, most bytes first. */
  top(count: number): Conversation[] {
    const totals = new Map<string, Conversation>();
    for (const table of this.tables) table.addTo(totals);
    const bytes = (one: Conversation): number => one.receivedBytes + one.injectedBytes;
    return [...totals.values()].sort((x, y) => bytes(y) - bytes(x)).slice(0, count);
  }

  clear(): void {
    for (const table of this.tables) table.clear();
  }
}

/**
 * Say what an address is that belongs to no single host; "" for every other one. `own` are the
 * addresses of the adapter, whose networks have addresses that reach all of their hosts.
 */
export function groupWord(address: string, own: readonly string[]): "multicast" | "broadcast" | "" {
  if (/^(?:22[4-9]|23\d)\.|^ff[\da-f]{2}:/.test(address)) return "multicast";
  const isBroadcast = address === "255.255.255.255" || own.some((one) => lastOf(one) === address);
  return isBroadcast ? "broadcast" : "";
}

/** Return the last address of an IPv4 network, "10.6.7.7/24"; "" where it is one like the others. */
function lastOf(network: string): string {
  const [, text = "", length] = /^([\d.]+)\/(\d+)$/.exec(network) ?? [];
  if (length === undefined || Number(length) > 30) return "";
  const mask = 0xffffffff >>> Number(length);
  const parts = text.split(".");
  return parts.map((part, i) => Number(part) | ((mask >>> (24 - 8 * i)) & 255)).join(".");
}

function isAfter(bytes: Uint8Array, left: number, right: number, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const difference = u8(bytes, left + i) - u8(bytes, right + i);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

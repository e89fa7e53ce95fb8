/**
 * The conversations, found by their addresses, ports and protocol.
 *
 * At most `capacity` are kept. A new one takes the place of the one that was silent longest, and
 * `evicted` counts that; its rows keep what they know of it until they are dropped.
 */

import { u8, u32 } from "../packet/bytes";
import type { Headers } from "../packet/headers";
import { Flow } from "./flow";

const NONE = -1;

export class FlowTable {
  evicted = 0;
  /** Whether the packet that was looked up last came from the lower end of the key. */
  isLow = false;
  private readonly flows: Flow[] = [];
  private readonly hashes: Int32Array;
  private readonly heads: Int32Array;
  private readonly next: Int32Array;
  /** The order of the last packets: the newest first. */
  private readonly newer: Int32Array;
  private readonly older: Int32Array;
  private newest = NONE;
  private oldest = NONE;
  private count = 0;
  private readonly words = new Int32Array(8);
  private hash = 0;
  private lowPort = 0;
  private highPort = 0;
  private slot = NONE;
  private made = 0;

  constructor(readonly capacity: number) {
    this.hashes = new Int32Array(capacity);
    this.heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2))).fill(NONE);
    this.next = new Int32Array(capacity);
    this.newer = new Int32Array(capacity);
    this.older = new Int32Array(capacity);
  }

  get size(): number {
    return this.count;
  }

  /** The conversation that goes next. */
  get eldest(): Flow | undefined {
    return this.flows[this.oldest];
  }

  /** Return the conversation of a packet with these ports, null when there is none yet. */
  find(h: Headers, sourcePort: number, destinationPort: number): Flow | null {
    this.readKey(h, sourcePort, destinationPort);
    const { hash, hashes, next, flows } = this;
    for (let slot = this.heads[hash & (this.heads.length - 1)] ?? NONE; slot !== NONE; ) {
      const flow = flows[slot];
      if (flow !== undefined && hashes[slot] === hash && this.is(flow, h)) {
        this.slot = slot;
        return flow;
      }
      slot = next[slot] ?? NONE;
    }
    return null;
  }

  /** Make a conversation of the packet that was not found, or whose ports are used again. */
  make(h: Headers): Flow {
    const { words, capacity } = this;
    let slot = this.count;
    if (slot < capacity) this.count++;
    else {
      slot = this.oldest;
      this.evicted++;
      this.unchain(slot);
      this.unlink(slot);
    }
    const addresses = new Uint8Array(32);
    const size = h.version === 4 ? 1 : 4;
    for (let i = 0; i < size; i++) {
      write(addresses, 4 * i, words[i] ?? 0);
      write(addresses, 16 + 4 * i, words[4 + i] ?? 0);
    }
    const flow = new Flow(
      ++this.made,
      h.protocol,
      h.version,
      addresses,
      this.lowPort,
      this.highPort,
    );
    this.flows[slot] = flow;
    this.hashes[slot] = this.hash;
    const head = this.hash & (this.heads.length - 1);
    this.next[slot] = this.heads[head] ?? NONE;
    this.heads[head] = slot;
    this.link(slot);
    this.slot = slot;
    return flow;
  }

  /** Say that the conversation found or made last has a packet. */
  touch(): void {
    if (this.slot === this.newest) return;
    this.unlink(this.slot);
    this.link(this.slot);
  }

  /** The conversations, those touched last first, until one was touched no later than `since`. */
  *recent(since: number): Generator<Flow> {
    for (let slot = this.newest; slot !== NONE; slot = this.older[slot] ?? NONE) {
      const flow = this.flows[slot];
      if (flow === undefined || flow.touched <= since) return;
      yield flow;
    }
  }

  clear(): void {
    this.flows.length = 0;
    this.heads.fill(NONE);
    this.newest = this.oldest = NONE;
    this.count = 0;
  }

  /** Read both ends into `words`, the lower one first, and hash them. */
  private readKey(h: Headers, sourcePort: number, destinationPort: number): void {
    const { words } = this;
    const four = h.version === 4;
    const source = h.ip + (four ? 12 : 8);
    const size = four ? 4 : 16;
    let order = 0;
    for (let i = 0; order === 0 && i < size; i++) {
      order = u8(h.bytes, source + i) - u8(h.bytes, source + size + i);
    }
    this.isLow = (order || sourcePort - destinationPort) <= 0;
    const low = this.isLow ? source : source + size;
    const high = this.isLow ? source + size : source;
    this.lowPort = this.isLow ? sourcePort : destinationPort;
    this.highPort = this.isLow ? destinationPort : sourcePort;
    let hash = Math.imul(h.protocol ^ (this.lowPort << 16) ^ this.highPort, 0x9e3779b1);
    for (let i = 0; 4 * i < size; i++) {
      const [a, b] = [u32(h.bytes, low + 4 * i) | 0, u32(h.bytes, high + 4 * i) | 0];
      words[i] = a;
      words[4 + i] = b;
      hash = Math.imul(hash ^ a, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35);
    }
    this.hash = hash ^ (hash >>> 16);
  }

  private is(flow: Flow, h: Headers): boolean {
    if (
      flow.protocol !== h.protocol ||
      flow.version !== h.version ||
      flow.lowPort !== this.lowPort ||
      flow.highPort !== this.highPort
    )
      return false;
    const size = h.version === 4 ? 1 : 4;
    for (let i = 0; i < size; i++) {
      if (read(flow.addresses, 4 * i) !== this.words[i]) return false;
      if (read(flow.addresses, 16 + 4 * i) !== this.words[4 + i]) return false;
    }
    return true;
  }

  private unchain(slot: number): void {
    const head = (this.hashes[slot] ?? 0) & (this.heads.length - 1);
    const after = this.next[slot] ?? NONE;
    if (this.heads[head] === slot) {
      this.heads[head] = after;
      return;
    }
    let at = this.heads[head] ?? NONE;
    while (at !== NONE && this.next[at] !== slot) at = this.next[at] ?? NONE;
    if (at !== NONE) this.next[at] = after;
  }

  private unlink(slot: number): void {
    const [newer, older] = [this.newer[slot] ?? NONE, this.older[slot] ?? NONE];
    if (newer === NONE) this.newest = older;
    else this.older[newer] = older;
    if (older === NONE) this.oldest = newer;
    else this.newer[older] = newer;
  }

  private link(slot: number): void {
    this.newer[slot] = NONE;
    this.older[slot] = this.newest;
    if (this.newest !== NONE) this.newer[this.newest] = slot;
    this.newest = slot;
    if (this.oldest === NONE) this.oldest = slot;
  }
}

function write(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function read(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) | 0;
}

/**
 * Read capture files: pcap in micro- or nanoseconds, and pcapng, in both byte orders.
 *
 * Packets are reduced to what lies behind the link layer. Nothing is refused that can be read in
 * part: `faults` says what is damaged, and where.
 */

import type { Batch } from "./batch";

/** A packet of a file: a range of its bytes. */
export interface FilePacket {
  readonly start: number;
  readonly end: number;
  readonly originalLength: number;
  readonly timeNs: bigint;
  /** Null where the file does not tell the direction. */
  readonly injected: boolean | null;
  /** What it is when it is not IP, such as "ARP"; "" for IP. */
  readonly foreign: string;
}

export interface CaptureFile {
  readonly packets: readonly FilePacket[];
  /** What is damaged or left out, in sentences. */
  readonly faults: readonly string[];
}

/** A file of more bytes is not opened, and of more packets not read to its end. */
export const MOST_BYTES = 256 * 1024 * 1024;
export const MOST_PACKETS = 500_000;

/** No writer makes longer packets; a longer one is damage. */
const LONGEST = 0x40000;
const LONGEST_IP = 0xffff;
const BATCH_BYTES = 0x100000;
const IP4 = 0x0800;
const IP6 = 0x86dd;

/** What is known of an interface that packets came from. */
interface Link {
  readonly type: number;
  /** Nanoseconds are `ticks * scale / divisor + offset`. */
  readonly scale: bigint;
  readonly divisor: bigint;
  readonly offset: bigint;
  readonly snaplen: number;
}

/** Where the packet behind a link layer begins, what it is, and its direction where that is known. */
interface Inner {
  readonly skip: number;
  readonly type: number;
  readonly injected?: boolean | null;
}

class Damage extends Error {}

/** Read a whole file. Throws an Error with a sentence for what is no capture file at all. */
export function readCapture(bytes: Uint8Array): CaptureFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length >= 4 ? view.getUint32(0, true) : -1;
  const packets: FilePacket[] = [];
  const faults: string[] = [];
  const add = (packet: FilePacket): void => {
    if (packets.length >= MOST_PACKETS) {
      const most = MOST_PACKETS.toLocaleString("en");
      throw new Damage(`Only the first ${most} packets are shown.`);
    }
    packets.push(packet);
  };
  const classic = CLASSIC.get(magic);
  try {
    if (classic !== undefined) readPcap(view, classic, add);
    else if (magic === SECTION) readPcapng(view, add, faults);
    else throw new Error(strange(bytes));
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    faults.push(error.message);
  }
  return { packets, faults };
}

function strange(bytes: Uint8Array): string {
  if (bytes.length === 0) return "The file is empty.";
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return "The file is compressed. Decompress it first, for example with gunzip.";
  }
  return "This is not a capture file. You can open files in the formats pcap and pcapng.";
}

/** First four bytes, read as little-endian: byte order, fraction of a second, record header. */
const CLASSIC: ReadonlyMap<number, readonly [little: boolean, scale: bigint, header: number]> =
  new Map([
    [0xa1b2c3d4, [true, 1000n, 16]],
    [0xd4c3b2a1, [false, 1000n, 16]],
    [0xa1b23c4d, [true, 1n, 16]],
    [0x4d3cb2a1, [false, 1n, 16]],
    [0xa1b2cd34, [true, 1000n, 24]],
    [0x34cdb2a1, [false, 1000n, 24]],
  ]);

type Add = (packet: FilePacket) => void;

function readPcap(
  view: DataView,
  [little, scale, header]: readonly [boolean, bigint, number],
  add: Add,
): void {
  if (view.byteLength < 24) throw new Damage("The file ends inside its header.");
  const u32 = (at: number): number => view.getUint32(at, little);
  const type = u32(20) & 0xffff;
  let number = 1;
  for (let at = 24; at < view.byteLength; number++) {
    if (at + header > view.byteLength) throw ends(number, at);
    const size = u32(at + 8);
    if (size > LONGEST) throw tooLong(number, at, size);
    const start = at + header;
    if (start + size > view.byteLength) throw ends(number, at);
    const timeNs = BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * scale;
    add(inner(view, type, start, size, Math.max(size, u32(at + 12)), timeNs, null));
    at = start + size;
  }
}

function ends(number: number, at: number): Damage {
  return new Damage(`The file ends inside packet ${number}, which begins at byte ${at}.`);
}

function tooLong(number: number, at: number, size: number): Damage {
  const said = size.toLocaleString("en");
  return new Damage(
    `Packet ${number}, at byte ${at}, claims ${said} bytes. The rest of the file cannot be read.`,
  );
}

const SECTION = 0x0a0d0d0a;
const ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const PACKET = 6;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;
const PACKET_FLAGS = 2;
const MICROSECONDS: Pick<Link, "scale" | "divisor"> = { scale: 1000n, divisor: 1n };

function readPcapng(view: DataView, add: Add, faults: string[]): void {
  const end = view.byteLength;
  let little = true;
  let links: Link[] = [];
  let number = 1;
  for (let at = 0; at < end; ) {
    if (at + 12 > end) throw new Damage(`The file ends inside a block, at byte ${at}.`);
    if (view.getUint32(at, true) === SECTION) {
      links = [];
      if (view.getUint32(at + 8, true) === ORDER) little = true;
      else if (view.getUint32(at + 8, false) === ORDER) little = false;
      else throw new Damage(`The section at byte ${at} has no byte order that is known.`);
    }
    const type = view.getUint32(at, little);
    const size = view.getUint32(at + 4, little);
    if (size < 12 || size % 4 !== 0) {
      throw new Damage(`The block at byte ${at} has the length ${size}. The rest cannot be read.`);
    }
    const isPacket = type === PACKET || type === SIMPLE_PACKET || type === OLD_PACKET;
    if (at + size > end) {
      throw isPacket
        ? ends(number, at)
        : new Damage(`The file ends inside a block, at byte ${at}.`);
    }
    if (view.getUint32(at + size - 4, little) !== size && faults.length < 8) {
      faults.push(`The two lengths of the block at byte ${at} differ.`);
    }
    const body = at + 8;
    const stop = at + size - 4;
    if (type === INTERFACE) links.push(linkOf(view, body, stop, little));
    else if (isPacket) {
      add(packetOf(view, type, body, stop, little, links, number));
      number++;
    }
    at += size;
  }
}

function linkOf(view: DataView, body: number, stop: number, little: boolean): Link {
  if (stop - body < 8) throw new Damage(`The interface at byte ${body - 8} is too short.`);
  let resolution = MICROSECONDS;
  let offset = 0n;
  for (const [code, start, size] of optionsOf(view, body + 8, stop, little)) {
    if (code === IF_TSRESOL && size >= 1) resolution = resolutionOf(view.getUint8(start));
    if (code === IF_TSOFFSET && size >= 8)
      offset = view.getBigInt64(start, little) * 1_000_000_000n;
  }
  const snaplen = view.getUint32(body + 4, little);
  return { type: view.getUint16(body, little), snaplen, offset, ...resolution };
}

/** The high bit chooses powers of two instead of ten. */
function resolutionOf(value: number): Pick<Link, "scale" | "divisor"> {
  const power = BigInt(value & 0x7f);
  if (value & 0x80) return { scale: 1_000_000_000n, divisor: 1n << power };
  return power <= 9n
    ? { scale: 10n ** (9n - power), divisor: 1n }
    : { scale: 1n, divisor: 10n ** (power - 9n) };
}

function packetOf(
  view: DataView,
  type: number,
  body: number,
  stop: number,
  little: boolean,
  links: readonly Link[],
  number: number,
): FilePacket {
  const u32 = (at: number): number => view.getUint32(at, little);
  const head = type === SIMPLE_PACKET ? 4 : 20;
  const at = body - 8;
  if (stop - body < head) throw new Damage(`Packet ${number}, at byte ${at}, is too short.`);
  const index =
    type === PACKET ? u32(body) : type === OLD_PACKET ? view.getUint16(body, little) : 0;
  const link = links[index];
  if (link === undefined) {
    throw new Damage(
      `Packet ${number}, at byte ${at}, refers to interface ${index}, which is missing.`,
    );
  }
  const start = body + head;
  const original = type === SIMPLE_PACKET ? u32(body) : u32(body + 16);
  const most = link.snaplen > 0 ? link.snaplen : original;
  const size = type === SIMPLE_PACKET ? Math.min(original, most, stop - start) : u32(body + 12);
  if (size > stop - start || size > LONGEST) throw tooLong(number, at, size);
  let timeNs = 0n;
  let injected: boolean | null = null;
  if (type !== SIMPLE_PACKET) {
    const ticks = (BigInt(u32(body + 4)) << 32n) | BigInt(u32(body + 8));
    timeNs = (ticks * link.scale) / link.divisor + link.offset;
    for (const [code, from, length] of optionsOf(view, start + ((size + 3) & ~3), stop, little)) {
      if (code !== PACKET_FLAGS || length < 4) continue;
      const way = u32(from) & 3;
      injected = way === 1 ? true : way === 2 ? false : null;
    }
  }
  return inner(view, link.type, start, size, Math.max(size, original), timeNs, injected);
}

function* optionsOf(
  view: DataView,
  start: number,
  stop: number,
  little: boolean,
): Generator<readonly [code: number, start: number, size: number]> {
  for (let at = start; at + 4 <= stop; ) {
    const code = view.getUint16(at, little);
    const size = view.getUint16(at + 2, little);
    if (code === 0 || at + 4 + size > stop) return;
    yield [code, at + 4, size];
    at += 4 + ((size + 3) & ~3);
  }
}

/** Return what lies behind the link layer. */
function inner(
  view: DataView,
  linkType: number,
  start: number,
  size: number,
  original: number,
  timeNs: bigint,
  injected: boolean | null,
): FilePacket {
  const found = behind(view, linkType, start, size);
  const isIp = found.type === IP4 || found.type === IP6;
  if (!isIp) {
    const foreign = found.type < 0 ? `link type ${linkType}` : nameOf(found.type);
    const way = injected ?? found.injected ?? null;
    return { start, end: start + size, originalLength: original, timeNs, injected: way, foreign };
  }
  const from = start + found.skip;
  let end = start + size;
  let originalLength = original - found.skip;
  // An Ethernet frame is filled up to 60 bytes; these are no part of the packet.
  const isPadded = linkType === ETHERNET || linkType === LINUX || linkType === LINUX_2;
  const length = isPadded ? lengthOf(view, from, end) : 0;
  if (length > 0 && length < originalLength) {
    originalLength = length;
    end = Math.min(end, from + length);
  }
  const way = injected ?? found.injected ?? null;
  originalLength = Math.min(originalLength, LONGEST_IP);
  end = Math.min(end, from + LONGEST_IP);
  return { start: from, end, originalLength, timeNs, injected: way, foreign: "" };
}

function lengthOf(view: DataView, at: number, end: number): number {
  const version = at < end ? view.getUint8(at) >> 4 : 0;
  if (version === 4 && at + 20 <= end) return view.getUint16(at + 2);
  if (version !== 6 || at + 40 > end) return 0;
  const payload = view.getUint16(at + 4);
  return payload === 0 ? 0 : payload + 40;
}

const NOTHING: Inner = { skip: 0, type: -1 };
const ETHERNET = 1;
const PPP = 9;
const LINUX = 113;
const LINUX_2 = 276;
const FAMILIES: Readonly<Record<number, number>> = { 2: IP4, 10: IP6, 24: IP6, 28: IP6, 30: IP6 };

function behind(view: DataView, linkType: number, start: number, size: number): Inner {
  const end = start + size;
  const fits = (skip: number): boolean => start + skip <= end;
  const u16 = (at: number): number => view.getUint16(start + at);
  switch (linkType) {
    case 12:
    case 14:
    case 101:
    case 228:
    case 229: {
      const version = size > 0 ? view.getUint8(start) >> 4 : 4;
      return { skip: 0, type: version === 6 ? IP6 : IP4 };
    }
    case 0:
    case 108: {
      if (!fits(4)) return NOTHING;
      const [big, little] = [view.getUint32(start), view.getUint32(start, true)];
      return { skip: 4, type: FAMILIES[big] ?? FAMILIES[little] ?? 0 };
    }
    case ETHERNET: {
      let skip = 12;
      while (fits(skip + 6) && isTag(u16(skip))) skip += 4;
      return fits(skip + 2) ? { skip: skip + 2, type: u16(skip) } : NOTHING;
    }
    case LINUX:
      return fits(16) ? { skip: 16, type: u16(14), injected: way(u16(0)) } : NOTHING;
    case LINUX_2:
      return fits(20)
        ? { skip: 20, type: u16(0), injected: way(view.getUint8(start + 10)) }
        : NOTHING;
    case PPP: {
      const skip = fits(4) && u16(0) === 0xff03 ? 2 : 0;
      if (!fits(skip + 2)) return NOTHING;
      const type = u16(skip);
      return { skip: skip + 2, type: type === 0x21 ? IP4 : type === 0x57 ? IP6 : type };
    }
  }
  return NOTHING;
}

function isTag(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100;
}

/** Linux says who a packet was for: 4 is one that the host sent, 3 is one for another host. */
function way(kind: number): boolean | null {
  return kind === 3 ? null : kind !== 4;
}

const NAMES: Readonly<Record<number, string>> = {
  2054: "ARP",
  32821: "RARP",
  34525: "IPv6",
  34827: "PPPoE discovery",
  34828: "PPPoE",
  34887: "MPLS",
  34958: "EAPOL",
  35020: "LLDP",
};

function nameOf(type: number): string {
  return (
    NAMES[type] ?? (type < 0x600 ? "LLC" : `EtherType 0x${type.toString(16).padStart(4, "0")}`)
  );
}

/** Return the packets as batches, copied together; what is not IP has no bytes in them. */
export function batchesOf(bytes: Uint8Array, packets: readonly FilePacket[]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < packets.length; ) {
    const to = endOfBatch(packets, from);
    batches.push(batchOf(bytes, packets.slice(from, to), from));
    from = to;
  }
  return batches;
}

/** Packets of one batch have one direction, and times within what fits behind its first. */
function endOfBatch(packets: readonly FilePacket[], from: number): number {
  const first = packets[from];
  let size = 0;
  let to = from;
  for (; to < packets.length; to++) {
    const packet = packets[to];
    if (packet === undefined || first === undefined) break;
    const later = packet.timeNs - first.timeNs;
    size += packet.end - packet.start;
    if (packet.injected !== first.injected || later < 0n || later > 0xffffffffn) break;
    if (size > BATCH_BYTES && to > from) break;
  }
  return Math.max(to, from + 1);
}

function batchOf(bytes: Uint8Array, packets: readonly FilePacket[], sequence: number): Batch {
  const count = packets.length;
  const timeNs = packets[0]?.timeNs ?? 0n;
  const starts = new Uint32Array(count + 1);
  const originalLengths = new Uint16Array(count);
  const times = new Uint32Array(count);
  let size = 0;
  for (const [i, { start, end, originalLength, foreign, ...packet }] of packets.entries()) {
    starts[i] = size;
    if (foreign === "") size += end - start;
    originalLengths[i] = Math.min(originalLength, LONGEST_IP);
    times[i] = Number(packet.timeNs - timeNs);
  }
  starts[count] = size;
  const copied = new Uint8Array(Math.max(size, 1));
  for (const [i, { start, end, foreign }] of packets.entries()) {
    if (foreign === "") copied.set(bytes.subarray(start, end), starts[i]);
  }
  return {
    bytes: copied,
    count,
    injected: packets[0]?.injected === true,
    isUnknown: packets[0]?.injected === null,
    sequence,
    timeNs,
    starts,
    originalLengths,
    sequenceDeltas: null,
    times,
  };
}

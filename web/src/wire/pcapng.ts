/**
 * Write packets as pcapng (draft-ietf-opsawg-pcapng): LINKTYPE_RAW, nanoseconds, directions.
 */

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const LINKTYPE_RAW = 101;

const END_OF_OPTIONS = 0;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
const INBOUND = 1; // as the adapter sees it: the host gets what was injected
const OUTBOUND = 2;

export interface CapturedPacket {
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly timeNs: bigint;
  /** Null where the direction is not known. */
  readonly injected: boolean | null;
}

const encoder = new TextEncoder();

/** Return the parts of a file; a Blob takes them as they are. */
export function pcapng(interfaceName: string, packets: Iterable<CapturedPacket>): ArrayBuffer[] {
  const parts = [sectionHeader(), interfaceDescription(interfaceName)];
  for (const packet of packets) parts.push(enhancedPacket(packet));
  return parts;
}

function sectionHeader(): ArrayBuffer {
  const options = optionList([[SHB_USERAPPL, encoder.encode("wintun-api dashboard")]]);
  const [block, body] = newBlock(SECTION_HEADER, 16 + options.length);
  body.setUint32(0, BYTE_ORDER, true);
  body.setUint16(4, 1, true); // version 1.0
  body.setBigInt64(8, -1n, true); // section length not given
  new Uint8Array(block).set(options, 24);
  return block;
}

function interfaceDescription(name: string): ArrayBuffer {
  const options = optionList([
    [IF_NAME, encoder.encode(name)],
    [IF_TSRESOL, Uint8Array.of(9)],
  ]);
  const [block, body] = newBlock(INTERFACE_DESCRIPTION, 8 + options.length);
  body.setUint16(0, LINKTYPE_RAW, true);
  new Uint8Array(block).set(options, 16);
  return block;
}

function enhancedPacket(packet: CapturedPacket): ArrayBuffer {
  const size = packet.bytes.length;
  const [block, body] = newBlock(ENHANCED_PACKET, 20 + padded(size) + 12);
  body.setUint32(4, Number(packet.timeNs >> 32n), true);
  body.setUint32(8, Number(packet.timeNs & 0xffffffffn), true);
  body.setUint32(12, size, true);
  body.setUint32(16, packet.originalLength, true);
  new Uint8Array(block).set(packet.bytes, 28);
  const options = 20 + padded(size);
  body.setUint16(options, EPB_FLAGS, true);
  body.setUint16(options + 2, 4, true);
  const way = packet.injected === null ? 0 : packet.injected ? INBOUND : OUTBOUND;
  body.setUint32(options + 4, way, true);
  return block; // the end of options is four zero bytes, there already
}

/** Return a block with its type and both lengths, and a view of its body. */
function newBlock(type: number, bodyLength: number): [ArrayBuffer, DataView] {
  const length = 12 + bodyLength;
  const block = new ArrayBuffer(length);
  const view = new DataView(block);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  return [block, new DataView(block, 8, bodyLength)];
}

function optionList(options: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const all = [...options, [END_OF_OPTIONS, new Uint8Array()] as const];
  const list = new Uint8Array(all.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0));
  const view = new DataView(list.buffer);
  let at = 0;
  for (const [code, value] of all) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    list.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  return list;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

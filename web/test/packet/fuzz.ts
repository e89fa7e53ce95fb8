/**
 * Packets with broken bytes, and what must be true of whatever the decoder makes of them. Runs in
 * the tests with a few, and from tests/packet/test_fields.py with a million.
 */

import { ipv4Text, ipv6Text } from "../../src/packet/address";
import { decode } from "../../src/packet/decode";
import { type Dissection, type Field, TOO_DEEP } from "../../src/packet/dissection";
import { Headers } from "../../src/packet/headers";
import { application } from "../../src/packet/sniff";

/** Bytes that lengths, counts and kinds are often wrong with. */
const USUAL = [0, 1, 2, 3, 4, 5, 8, 16, 40, 63, 64, 127, 128, 192, 254, 255];

/** Break `count` packets in turn; return what is wrong with what the decoder says, at most ten. */
export function fuzz(packets: readonly Uint8Array[], count: number, seed = 1): string[] {
  const wrong: string[] = [];
  const headers = new Headers();
  let state = seed;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (let i = 0; i < count && wrong.length < 10; i++) {
    const packet = broken(packets[i % packets.length] ?? new Uint8Array(), packets, random);
    const original = packet.length + (random(4) === 0 ? random(60) : 0);
    let said: string | null;
    try {
      said = trouble(packet, decode(packet, original), headers, original);
    } catch (error) {
      said = String(error);
    }
    if (said !== null) wrong.push(`${said}: ${hex(packet)} of ${original}`);
  }
  return wrong;
}

function broken(
  packet: Uint8Array,
  packets: readonly Uint8Array[],
  random: (below: number) => number,
): Uint8Array {
  let made = packet.slice();
  for (let n = random(6); n > 0 && made.length > 0; n--) {
    const at = random(made.length);
    made[at] = random(2) === 0 ? random(256) : (USUAL[random(USUAL.length)] ?? 0);
  }
  const kind = random(8);
  if (kind === 0) made = made.subarray(0, random(made.length + 1));
  else if (kind === 1) {
    // The rest of another one.
    const other = packets[random(packets.length)] ?? made;
    const at = random(Math.min(made.length, other.length) + 1);
    const joined = new Uint8Array(other.length);
    joined.set(made.subarray(0, at));
    joined.set(other.subarray(at), at);
    made = joined;
  } else if (kind === 2 && made.length > 28)
    made.copyWithin(20 + random(8), 20 + random(made.length - 20));
  return made;
}

/** Say what is wrong with a dissection; null when nothing is. */
function trouble(
  packet: Uint8Array,
  decoded: Dissection,
  h: Headers,
  original: number,
): string | null {
  let fields = 0;
  let fault: string | null = null;
  const walk = (field: Field): void => {
    fields++;
    if (field.start > field.end || field.end > packet.length) fault ??= `${field.name} is outside`;
    if (field.text.includes("cannot be decoded")) fault ??= `${field.label}: ${field.text}`;
    field.fields.forEach(walk);
  };
  decoded.layers.forEach(walk);
  if (fault !== null) return fault;
  if (fields > 20_000) return `${fields} fields`;
  if (decoded.malformed !== decoded.layers.some(({ name }) => name === "_ws.malformed")) {
    return "malformed in one place only";
  }
  h.read(packet, 0, packet.length, original, false);
  const text = h.version === 4 ? ipv4Text : ipv6Text;
  const source = h.version === 0 ? "" : text(packet, h.ip + (h.version === 4 ? 12 : 8));
  const destination = h.version === 0 ? "" : text(packet, h.goal);
  if (source !== decoded.source || destination !== decoded.destination) {
    return `the filter has ${source} ${destination}, the row ${decoded.source} ${decoded.destination}`;
  }
  return decoded.info === TOO_DEEP ? null : applicationOf(decoded, h);
}

/** Hold the layer of an application to what the filter takes it for. */
function applicationOf(decoded: Dissection, h: Headers): string | null {
  if (h.upper < 0 || (h.protocol !== 6 && h.protocol !== 17)) return null;
  const tcp = h.protocol === 6;
  const layer = decoded.layers.findIndex(
    ({ start, name }) => start === h.upper && name === (tcp ? "tcp" : "udp"),
  );
  const next = decoded.layers[layer + 1];
  if (layer < 0 || next === undefined || decoded.malformed) return null;
  const end = tcp
    ? h.stop
    : Math.min(
        h.stop,
        h.upper + (((h.bytes[h.upper + 4] ?? 0) << 8) | (h.bytes[h.upper + 5] ?? 0) || h.stop),
      );
  const name = application(
    tcp ? "tcp" : "udp",
    h.sourcePort,
    h.destinationPort,
    h.bytes,
    next.start,
    end,
  );
  const shown = next.name === "data" ? "" : next.name;
  return name === shown ? null : `the filter has ${name}, the layer is ${shown}`;
}

function hex(packet: Uint8Array): string {
  return Array.from(packet, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

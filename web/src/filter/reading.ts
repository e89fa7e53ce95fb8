/**
 * Values of a field in a packet, the cheapest way there is.
 *
 * Most packets are plain: one IP header without options, and TCP, UDP or an echo behind it. In those
 * the bytes answer most questions, and say which protocols cannot be there. Only what is left is
 * decoded, so that quoted and tunnelled headers are found like the packet's own.
 */

import { parseAddress } from "../packet/address";
import { u8, u16, u32 } from "../packet/bytes";
import type { Dissection, Field, Value } from "../packet/dissection";
import type { Headers } from "../packet/headers";
import { application } from "../packet/sniff";
import { FIELDS, type FilterField, type Kind } from "./fields";
import { momentOf } from "./moment";
import type { Subject } from "./subject";

/** A value to compare: numbers, also of booleans and IPv4 addresses; nanoseconds; text; bytes. */
export type Raw = number | bigint | string | Uint8Array;
/** Returns true to see no more. */
export type Visit<T> = (value: T) => boolean;

/** What a filter compares. */
export interface Operand {
  readonly kind: Kind;
  /** The largest number, and whether numbers have names. */
  readonly most: number;
  readonly named: boolean;
  /** What to call it in an error. */
  readonly name: string;
  /** What a test costs, roughly: of those that must all hold the cheap ones come first. */
  readonly cost: number;
  /** Visit the values until one is enough; return whether one was. */
  each(subject: Subject, visit: Visit<Raw>): boolean;
  /** The same with the fields of the decoder, for names of values. */
  fields?(subject: Subject, visit: Visit<Field>): boolean;
}

/** A test with what it costs. */
export interface Node {
  readonly cost: number;
  test(subject: Subject): boolean;
}

export const CHEAP = 1;
const DECODED = 20;
const DEAR = 60;

const TCP = 6;
const UDP = 17;
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: TCP, udp: UDP, icmp: 1, icmpv6: 58 };

/** Say whether the bytes alone tell what is in a packet, but for the application. */
function isPlain(h: Headers): boolean {
  const { bytes, start, upper, stop } = h;
  if (upper < 0 || h.ip !== start || h.fragment) return false;
  if (h.version === 4 ? upper !== start + 20 : upper !== start + 40) return false;
  switch (h.protocol) {
    case TCP: {
      const header = (u8(bytes, upper + 12) >> 4) * 4;
      return header >= 20 && upper + header <= stop;
    }
    case UDP:
      return upper + 8 <= stop;
    case 1:
      return upper + 8 <= stop && (u8(bytes, upper) | 8) === 8;
    case 58:
      return upper + 8 <= stop && u8(bytes, upper) >= 128 && u8(bytes, upper) < 130;
  }
  return false;
}

/** Layers whose fields have the names of another protocol. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  dns: ["dns", "mdns", "llmnr"],
  http: ["http", "ssdp"],
};

/** Return what says whether a plain packet may have fields of a protocol. */
function gateOf({ name, protocol }: FilterField): (h: Headers) => boolean {
  const number = PROTOCOLS[protocol];
  if (number !== undefined) return (h) => h.protocol === number;
  if (protocol === "data" || protocol === "_ws") return () => true;
  if (protocol === "ip" || protocol === "ipv6") {
    const version = protocol === "ip" ? 4 : 6;
    return (h) => h.version === version;
  }
  const carried = protocol === "esp" || protocol === "isakmp";
  const own = name.includes(".") ? (SHARED[protocol] ?? [protocol]) : [protocol];
  return (h) => {
    const found = applicationOf(h);
    return own.includes(found) || (found === CARRIER && carried);
  };
}

/** The layer that has ESP and IKE in it. */
const CARRIER = "udpencap";

function applicationOf(h: Headers): string {
  const { bytes, upper, stop, sourcePort, destinationPort } = h;
  if (h.protocol === UDP) {
    return application("udp", sourcePort, destinationPort, bytes, upper + 8, datagramEnd(h));
  }
  if (h.protocol !== TCP) return "";
  const start = Math.min(stop, upper + segmentHeader(h) + h.begins);
  return application("tcp", sourcePort, destinationPort, bytes, start, stop);
}

/** Where fields lie in the headers of a plain packet: offset, bytes, and the bits that count. */
const DIRECT: Readonly<Record<string, (h: Headers) => Raw | undefined>> = Object.fromEntries(
  `ip.dsfield 1 1;ip.dsfield.dscp 1 1 fc;ip.dsfield.ecn 1 1 3;ip.len 2 2;ip.id 4 2;ip.flags 6 1 e0;
ip.flags.rb 6 1 80;ip.flags.df 6 1 40;ip.flags.mf 6 1 20;ip.frag_offset 6 2 1fff;ip.ttl 8 1;
ip.proto 9 1;ip.checksum 10 2;ip.src 12 4;ip.dst 16 4;
ipv6.plen 4 2;ipv6.nxt 6 1;ipv6.hlim 7 1;ipv6.src 8 16;ipv6.dst 24 16;
tcp.srcport 0 2;tcp.dstport 2 2;tcp.seq_raw 4 4;tcp.ack_raw 8 4;tcp.flags 12 2 fff;
tcp.flags.cwr 13 1 80;tcp.flags.ece 13 1 40;tcp.flags.urg 13 1 20;tcp.flags.ack 13 1 10;
tcp.flags.push 13 1 8;tcp.flags.reset 13 1 4;tcp.flags.syn 13 1 2;tcp.flags.fin 13 1 1;
tcp.window_size_value 14 2;tcp.checksum 16 2;tcp.urgent_pointer 18 2;
udp.srcport 0 2;udp.dstport 2 2;udp.length 4 2;udp.checksum 6 2;
icmp.type 0 1;icmp.code 1 1;icmp.ident 4 2;icmp.seq 6 2;icmpv6.type 0 1;icmpv6.code 1 1;
icmpv6.echo.identifier 4 2;icmpv6.echo.sequence_number 6 2`
    .split(/;\s*/)
    .map((line) => {
      const [name = "", offset = "", size = "", bits] = line.split(" ");
      const at = Number(offset);
      const inIp = name.startsWith("ip");
      const base = (h: Headers): number => (inIp ? h.ip : h.upper) + at;
      if (size === "16") return [name, (h) => h.bytes.subarray(base(h), base(h) + 16)];
      const read = { 1: u8, 2: u16 }[size] ?? u32;
      if (bits === undefined) return [name, (h) => read(h.bytes, base(h))];
      const mask = Number.parseInt(bits, 16);
      const shift = 31 - Math.clz32(mask & -mask);
      return [name, (h) => (read(h.bytes, base(h)) & mask) >> shift];
    }),
);

/** The same of what is calculated from the headers; undefined where a packet has none. */
Object.assign(DIRECT, {
  ip: (h: Headers) => h.bytes.subarray(h.ip, h.stop),
  ipv6: (h: Headers) => h.bytes.subarray(h.ip, h.stop),
  tcp: (h: Headers) => h.bytes.subarray(h.upper, h.stop),
  udp: (h: Headers) => h.bytes.subarray(h.upper, datagramEnd(h)),
  icmp: (h: Headers) => h.bytes.subarray(h.upper, h.stop),
  icmpv6: (h: Headers) => h.bytes.subarray(h.upper, h.stop),
  "tcp.hdr_len": segmentHeader,
  "tcp.len": (h: Headers) => {
    const length = u16(h.bytes, h.ip + (h.version === 4 ? 2 : 4));
    const total = length === 0 ? h.originalLength : length + (h.version === 4 ? 0 : 40);
    return h.ip - h.start + total - (h.upper - h.start) - segmentHeader(h);
  },
  "tcp.payload": (h: Headers) => rest(h, h.upper + segmentHeader(h), h.stop),
  "udp.payload": (h: Headers) => rest(h, h.upper + 8, datagramEnd(h)),
});

function segmentHeader({ bytes, upper }: Headers): number {
  return (u8(bytes, upper + 12) >> 4) * 4;
}

function datagramEnd({ bytes, upper, stop }: Headers): number {
  const length = u16(bytes, upper + 4);
  return length < 8 ? stop : Math.min(stop, upper + length);
}

function rest({ bytes }: Headers, start: number, end: number): Uint8Array | undefined {
  return start < end ? bytes.subarray(start, end) : undefined;
}

/** What is no field of the decoder's. Returns undefined where there is none. */
const VIRTUAL: Readonly<Record<string, readonly [cost: number, (s: Subject) => Raw | undefined]>> =
  {
    frame: [CHEAP, ({ headers: h }) => h.bytes.subarray(h.start, h.end)],
    "frame.number": [CHEAP, (s) => s.number],
    "frame.len": [CHEAP, ({ headers }) => headers.originalLength],
    len: [CHEAP, ({ headers }) => headers.originalLength],
    "frame.cap_len": [CHEAP, ({ headers }) => headers.end - headers.start],
    "frame.time": [CHEAP, (s) => s.timeNs],
    "frame.time_epoch": [CHEAP, (s) => s.timeNs],
    "frame.time_relative": [CHEAP, (s) => s.relativeNs],
    "frame.time_delta": [CHEAP, (s) => s.deltaNs],
    "frame.protocols": [
      DEAR,
      ({ dissection }) => ["raw", ...dissection.layers.map(({ name }) => name)].join(":"),
    ],
    "_ws.col.protocol": [DEAR, ({ dissection }) => dissection.protocol],
    "_ws.col.info": [DEAR, ({ dissection }) => dissection.info],
    "tcp.flags.str": [
      CHEAP,
      ({ headers: h }) =>
        h.protocol === TCP && h.upper >= 0 && h.upper + 14 <= h.stop
          ? lettersOf(u16(h.bytes, h.upper + 12))
          : undefined,
    ],
    received: [CHEAP, ({ headers: h }) => (h.hasDirection ? Number(!h.injected) : undefined)],
    injected: [CHEAP, ({ headers: h }) => (h.hasDirection ? Number(h.injected) : undefined)],
    cut: [CHEAP, ({ headers: h }) => Number(h.originalLength > h.end - h.start)],
    fragment: [CHEAP, ({ headers }) => Number(headers.fragment)],
    proto: [CHEAP, ({ headers }) => (headers.protocol < 0 ? undefined : headers.protocol)],
  };

/** The flags as Wireshark writes them, a letter for each that is set. */
function lettersOf(flags: number): string {
  return Array.from("RRRACEUAPRSF", (letter, at) => ((flags >> (11 - at)) & 1 ? letter : "·")).join(
    "",
  );
}

/** Return what reads a field; `ordinal` takes only the layers of this number of its protocol. */
export function operandOf(field: FilterField, ordinal = 0): Operand {
  const { kind, name, most, named, parts } = field;
  const base = { kind, name, most, named };
  const virtual = VIRTUAL[name];
  if (virtual !== undefined) {
    const [cost, read] = virtual;
    return {
      ...base,
      cost,
      each: (subject, visit) => {
        const value = read(subject);
        return value !== undefined && visit(value);
      },
    };
  }
  const sources = parts.map((part) => {
    const of = FIELDS.get(part) ?? field;
    // The part of a payload is its header; what is read is not.
    const direct = DIRECT[kind === "bytes" ? name : part];
    return { gate: gateOf(of), direct };
  });
  const isDirect = kind !== "text";
  const rawOf = rawReader(field);
  const noted = field.noted || name === "tls";
  // A record or a head may end in a segment that it does not begin in.
  const mayEnd = ({ begins }: Headers): boolean =>
    begins !== 0 && name !== "tls" && (field.protocol === "tls" || field.protocol === "http");
  const fields = (subject: Subject, visit: Visit<Field>): boolean => {
    const { headers } = subject;
    if (mayEnd(headers) && walk(subject.recordOf(field.protocol), parts, visit)) return true;
    if (noted && headers.protocol !== -1) {
      if (walk(subject.notes, parts, visit)) return true;
      if (field.noted) return false;
    }
    if (isPlain(headers) && !(ordinal < 2 && sources.some(({ gate }) => gate(headers))))
      return false;
    const { layers } = subject.dissection;
    return ordinal === 0
      ? walk(layers, parts, visit)
      : walk(layersOf(layers, field, ordinal), parts, visit);
  };
  return {
    ...base,
    cost: field.noted
      ? DECODED / 2
      : isDirect && sources.every(({ direct }) => direct !== undefined)
        ? CHEAP
        : gatedCost(field),
    fields,
    each: (subject, visit) => {
      const { headers } = subject;
      if (isDirect && ordinal < 2 && isPlain(headers)) {
        let needed = false;
        for (const { gate, direct } of sources) needed ||= direct === undefined && gate(headers);
        if (!needed && !noted && !mayEnd(headers)) {
          for (const { gate, direct } of sources) {
            const raw = direct !== undefined && gate(headers) ? direct(headers) : undefined;
            if (raw !== undefined && visit(raw)) return true;
          }
          return false;
        }
      }
      return fields(subject, (found) => {
        const raw = rawOf(subject.dissection, found);
        return raw !== undefined && visit(raw);
      });
    },
  };
}

/** Return whether a packet has a field, or for a boolean whether it is set; with its cost. */
export function existence(field: FilterField, ordinal: number): Node {
  const operand = operandOf(field, ordinal);
  const { kind, name } = field;
  const number = PROTOCOLS[name];
  const version = { ip: 4, ipv6: 6 }[name];
  const isHeader = ordinal === 0 && (number !== undefined || version !== undefined);
  const set: Visit<Raw> = kind === "boolean" ? (raw) => raw !== 0 : () => true;
  // Bytes behind a header may be none.
  const bySight =
    !name.endsWith(".payload") &&
    (kind === "mark" || kind === "protocol" || kind === "bytes" || kind === "text");
  return {
    cost: isHeader ? CHEAP : operand.cost,
    test: (subject: Subject): boolean => {
      const { headers } = subject;
      if (isHeader && isPlain(headers)) {
        return number === undefined ? headers.version === version : headers.protocol === number;
      }
      return bySight && operand.fields !== undefined
        ? operand.fields(subject, () => true)
        : operand.each(subject, set);
    },
  };
}

function gatedCost({ protocol }: FilterField): number {
  if (protocol === "data" || protocol === "_ws") return DEAR;
  return PROTOCOLS[protocol] === undefined && !protocol.startsWith("ip") ? DECODED / 2 : DECODED;
}

function walk(fields: readonly Field[], names: readonly string[], visit: Visit<Field>): boolean {
  for (const field of fields) {
    if (names.includes(field.name) && visit(field)) return true;
    if (field.fields.length > 0 && walk(field.fields, names, visit)) return true;
  }
  return false;
}

function layersOf(layers: readonly Field[], { protocol }: FilterField, ordinal: number): Field[] {
  return layers.filter(({ name }) => name === protocol).slice(ordinal - 1, ordinal);
}

/** Return what makes a value of a decoder's field. */
function rawReader({
  kind,
  name,
}: FilterField): (dissection: Dissection, field: Field) => Raw | undefined {
  switch (kind) {
    case "text":
      return (_, { value }) => String(value);
    case "ipv4":
    case "ipv6":
      return (_, { value }) => {
        const address = parseAddress(String(value));
        if (address === null || address.length !== (kind === "ipv4" ? 4 : 16)) return undefined;
        return kind === "ipv4" ? u32(address, 0) : address;
      };
    case "bytes":
      if (name.endsWith(".payload")) {
        return ({ bytes, layers }, field) => {
          const end = endOf(layers, field);
          return field.end < end ? bytes.subarray(field.end, end) : undefined;
        };
      }
      return ({ bytes }, { start, end, value }) =>
        start === end ? octetsOf(value) : bytes.subarray(start, end);
    case "date":
      return (_, { value }) => momentOf(String(value));
    case "protocol":
      return ({ bytes, layers }, field) => bytes.subarray(field.start, endOf(layers, field));
    default:
      return (_, { value }) => {
        if (typeof value === "string") return kind === "mark" ? 1 : undefined;
        return Number(value);
      };
  }
}

/** The bytes of a field that lies in several packets. */
function octetsOf(value: Value): Uint8Array {
  return Uint8Array.from(String(value).match(/[\da-f]{2}/g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
}

/** A layer goes on to the end of those that it carries. */
function endOf(layers: readonly Field[], layer: Field): number {
  let end = layer.end;
  for (let at = layers.indexOf(layer); at >= 0 && at < layers.length; at++) {
    end = Math.max(end, layers[at]?.end ?? 0);
  }
  return end;
}

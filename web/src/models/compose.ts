/** A packet in the making: fields as they are typed, and the bytes they yield. */

import { computed, signal } from "@preact/signals";
import { ipv4Text, ipv6Text, parseAddress, parsePrefix } from "../packet/address";
import { echoRequest, repaired, tcp, udp } from "../packet/build";
import { decode } from "../packet/decode";
import { dnsQuery, QUERY_TYPES } from "../packet/dns-query";
import { formatHex, HexError, parseHex } from "../packet/hex";
import { Injector, MAX_COUNT, MAX_RATE, MIN_RATE, type Plan } from "./injector";
import { numberOf, spelling, wholeOf } from "./numbers";
import { hostRule } from "./rules";

export const KINDS = [
  { id: "echo", label: "ICMP echo" },
  { id: "udp", label: "UDP" },
  { id: "dns", label: "DNS query" },
  { id: "tcp", label: "TCP" },
  { id: "raw", label: "Raw bytes" },
] as const;

/** The flags of a TCP segment by their bits, in the order in which they are read out. */
export const FLAGS = [
  ["SYN", 0x02],
  ["ACK", 0x10],
  ["PSH", 0x08],
  ["FIN", 0x01],
  ["RST", 0x04],
  ["URG", 0x20],
] as const;
const ACK = 0x10;
const MAX_PACKET = 0xffff;

export type Kind = (typeof KINDS)[number]["id"];
export type Repeat = "once" | "times" | "rate";

export interface Draft {
  readonly kind: Kind;
  readonly source: string;
  readonly destination: string;
  readonly ttl: string;
  readonly identifier: string;
  readonly sequence: string;
  readonly acknowledgement: string;
  /** A sum of the bits of the flags. */
  readonly flags: number;
  readonly sourcePort: string;
  readonly destinationPort: string;
  /** The name that a DNS query asks for, and the type of record. */
  readonly query: string;
  readonly queryType: string;
  /** What the packet carries, as text or as bytes. */
  readonly payload: string;
  readonly payloadIsHex: boolean;
  readonly raw: string;
  /** Set lengths and checksums of raw bytes right. */
  readonly repair: boolean;
  readonly repeat: Repeat;
  readonly count: string;
  readonly rate: string;
}

/** What a kind of packet begins with; what was typed in place of it stays. */
const DEFAULTS: Readonly<Record<Kind, { payload: string; destinationPort: string }>> = {
  echo: { payload: "abcdefghijklmnopqrstuvwabcdefghi", destinationPort: "" },
  udp: { payload: "Hello from wintun-api", destinationPort: "5000" },
  dns: { payload: "", destinationPort: "53" },
  tcp: { payload: "", destinationPort: "443" },
  raw: { payload: "", destinationPort: "" },
};

const EMPTY: Draft = {
  kind: "echo",
  source: "",
  destination: "",
  ttl: "64",
  identifier: "1",
  sequence: "1",
  acknowledgement: "0",
  flags: 0x02,
  sourcePort: "40000",
  query: "example.com",
  queryType: "A",
  payloadIsHex: false,
  raw: "",
  repair: true,
  repeat: "once",
  count: "100",
  rate: "50",
  ...DEFAULTS.echo,
};

/** What is wrong with a field of a draft. */
export class DraftError extends RangeError {
  override readonly name = "DraftError";
  constructor(
    readonly field: keyof Draft,
    message: string,
  ) {
    super(message);
  }
}

/** Whose packets these are to be: what of an adapter matters to them. */
export interface Target {
  readonly name: string;
  readonly mtu: number | null;
  readonly addresses: readonly string[];
}

export class ComposeModel {
  readonly draft = signal<Draft>(EMPTY);
  readonly injector = new Injector();
  private readonly built = computed<Uint8Array | DraftError>(() => {
    try {
      return build(this.draft.value, 0);
    } catch (error) {
      if (error instanceof DraftError) return error;
      throw error;
    }
  });
  /** The first packet; null where something is wrong. */
  readonly packet = computed(() =>
    this.built.value instanceof DraftError ? null : this.built.value,
  );
  readonly decoded = computed(() => this.packet.value && decode(this.packet.value));
  private readonly planned = computed(() => planRule(this.draft.value));
  /** Whether there is anything to send. */
  readonly ready = computed(() => this.packet.value !== null && this.planned.value === null);
  /** The addresses that an adapter gave, as long as nobody has typed others. */
  private aimed = { source: "", destination: "" };

  set(change: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...change };
  }

  /** Return what is wrong with a field. */
  error(field: keyof Draft): string {
    for (const found of [this.built.value, this.planned.value]) {
      if (found instanceof DraftError && found.field === field) return found.message;
    }
    return "";
  }

  /** Compose another kind of packet. What was typed stays, what was given changes with the kind. */
  choose(kind: Kind): void {
    const { draft } = this;
    const before = DEFAULTS[draft.value.kind];
    const next = DEFAULTS[kind];
    const { payload, destinationPort } = draft.value;
    this.set({
      kind,
      ...(payload === before.payload && { payload: next.payload }),
      ...((destinationPort === before.destinationPort || destinationPort === "") && {
        destinationPort: next.destinationPort,
      }),
    });
  }

  /**
   * Aim at an adapter: from a neighbour of its first address to itself, or at its first one of a
   * family. Leaves what was typed.
   */
  aim(addresses: readonly string[], family?: 4 | 6): void {
    const { source, destination } = this.draft.peek();
    const { aimed } = this;
    const isTyped =
      (source !== "" && source !== aimed.source) ||
      (destination !== "" && destination !== aimed.destination);
    if (isTyped && family === undefined) return;
    // The family that is there stays, where the adapter has it too.
    const wanted = family ?? (destination.includes(":") ? 6 : 4);
    const own = (addresses.find((one) => familyOf(one) === wanted) ?? addresses[0])?.split("/")[0];
    if (own === undefined) return;
    this.aimed = { source: neighbour(own), destination: own };
    this.set(this.aimed);
  }

  /** Let the packet go the other way. */
  swap(): void {
    const { source, destination, sourcePort, destinationPort } = this.draft.value;
    this.set({
      source: destination,
      destination: source,
      sourcePort: destinationPort,
      destinationPort: sourcePort,
    });
  }

  /** Take a packet that came, to be edited and sent again. */
  replay(bytes: Uint8Array): void {
    this.set({ kind: "raw", raw: formatHex(bytes), repair: true });
  }

  /** Return what can be sent and may not do what is expected of it. */
  warnings({ name, mtu, addresses }: Target): readonly string[] {
    const packet = this.packet.value;
    const decoded = this.decoded.value;
    if (packet === null || decoded === null) return [];
    const own = addresses.map((one) => one.split("/")[0] ?? "");
    const texts: string[] = [];
    if (mtu !== null && packet.length > mtu) {
      const length = packet.length.toLocaleString("en");
      const most = mtu.toLocaleString("en");
      texts.push(
        `The packet has ${length} bytes, but the MTU of ${name} is ${most}. The host may drop it.`,
      );
    }
    if (own.length > 0 && own.includes(decoded.source)) {
      texts.push("The source is an address of this computer. Most systems drop such packets.");
    } else if (own.length > 0 && decoded.destination && isUnicast(decoded.destination)) {
      if (!own.includes(decoded.destination)) {
        texts.push(`The destination is not an address of ${name}, so the host may not answer.`);
      }
    }
    return texts;
  }

  /** Return what to send; throws DraftError where something is wrong. */
  plan(): Plan {
    const draft = this.draft.value;
    const { repeat, count, rate } = draft;
    return {
      make: (index) => build(draft, index),
      count:
        repeat === "once" ? 1 : count.trim() === "" ? Number.POSITIVE_INFINITY : wholeOf(count),
      rate: repeat === "rate" ? numberOf(rate) : null,
    };
  }
}

/** Build packet number `index` of a draft. Throws DraftError. */
export function build(draft: Draft, index: number): Uint8Array {
  if (draft.kind === "raw") {
    const bytes = hex("raw", draft.raw);
    const wrong = lengthRule(bytes);
    if (wrong !== "") throw new DraftError("raw", wrong);
    return draft.repair ? repaired(bytes) : bytes;
  }
  const source = address("source", draft.source);
  const destination = address("destination", draft.destination);
  if (source.length !== destination.length) {
    throw new DraftError("destination", "Both addresses must be IPv4, or both IPv6.");
  }
  const envelope = { source, destination, ttl: whole("ttl", "TTL", draft.ttl, 0xff) };
  try {
    return built(draft, index, envelope);
  } catch (error) {
    if (error instanceof RangeError && !(error instanceof DraftError)) {
      throw new DraftError(draft.kind === "dns" ? "query" : "payload", error.message);
    }
    throw error;
  }
}

type Envelope = Readonly<Record<"source" | "destination", Uint8Array>> & { readonly ttl: number };

function built(draft: Draft, index: number, envelope: Envelope): Uint8Array {
  const { kind } = draft;
  if (kind === "dns") {
    const id = (whole("identifier", "identifier", draft.identifier, 0xffff) + index) & 0xffff;
    const data = dnsQuery(id, draft.query.trim(), QUERY_TYPES[draft.queryType] ?? 1);
    return udp({ ...envelope, ...ports(draft), data });
  }
  const data = draft.payloadIsHex
    ? hex("payload", draft.payload)
    : new TextEncoder().encode(draft.payload);
  const most = MAX_PACKET - headerOf(envelope.source.length === 16) - (kind === "tcp" ? 20 : 8);
  if (data.length > most) {
    const [length, limit] = [data.length, most].map((one) => one.toLocaleString("en"));
    const message = `The payload has ${length} bytes. At most ${limit} fit into this packet.`;
    throw new DraftError("payload", message);
  }
  if (kind === "echo") {
    const sequence = whole("sequence", "sequence number", draft.sequence, 0xffff) + index;
    return echoRequest({
      ...envelope,
      data,
      identifier: whole("identifier", "identifier", draft.identifier, 0xffff),
      sequence: sequence & 0xffff,
    });
  }
  if (kind === "udp") return udp({ ...envelope, ...ports(draft), data });
  const sequence = whole("sequence", "sequence number", draft.sequence, 0xffffffff) + index;
  const { flags } = draft;
  const acknowledgement =
    flags & ACK
      ? whole("acknowledgement", "acknowledgement number", draft.acknowledgement, 0xffffffff)
      : 0;
  return tcp({
    ...envelope,
    ...ports(draft),
    data,
    flags,
    acknowledgement,
    sequence: sequence >>> 0,
  });
}

/** Return what is wrong with the number of bytes that are to be a packet. */
function lengthRule(bytes: Uint8Array): string {
  const { length } = bytes;
  if (length === 0) return "Enter the bytes of a packet.";
  const isSix = (bytes[0] ?? 0) >> 4 === 6;
  const least = headerOf(isSix);
  if (length < least) {
    return `Enter at least ${least} bytes, the length of an IPv${isSix ? 6 : 4} header, not ${length}.`;
  }
  if (length <= MAX_PACKET) return "";
  const [most, number] = [MAX_PACKET, length].map((one) => one.toLocaleString("en"));
  return `Enter at most ${most} bytes, which is the longest IP packet, not ${number}.`;
}

function headerOf(isSix: boolean): number {
  return isSix ? 40 : 20;
}

function ports({ sourcePort, destinationPort }: Draft) {
  return {
    sourcePort: whole("sourcePort", "source port", sourcePort, 0xffff),
    destinationPort: whole("destinationPort", "destination port", destinationPort, 0xffff),
  };
}

function planRule({ repeat, count, rate }: Draft): DraftError | null {
  const endless = repeat === "rate" && count.trim() === "";
  const [packets, perSecond] = [wholeOf(count), numberOf(rate)];
  if (repeat !== "once" && !endless && !(packets >= 1 && packets <= MAX_COUNT)) {
    const rule = `Enter a whole number of packets, from 1 to ${MAX_COUNT.toLocaleString("en")}.`;
    return new DraftError("count", rule + spelling(count, wholeOf));
  }
  if (repeat === "rate" && !(perSecond >= MIN_RATE && perSecond <= MAX_RATE)) {
    const rule = `Enter a rate from ${MIN_RATE} to ${MAX_RATE.toLocaleString("en")} packets/s.`;
    return new DraftError("rate", rule + spelling(rate, numberOf));
  }
  return null;
}

function address(field: "source" | "destination", text: string): Uint8Array {
  const parsed = parseAddress(text.trim());
  if (parsed === null) {
    throw new DraftError(field, text === "" ? `Enter a ${field} address.` : hostRule(text));
  }
  return parsed;
}

function whole(field: keyof Draft, what: string, text: string, most: number): number {
  const value = wholeOf(text);
  if (value >= 0 && value <= most) return value;
  throw new DraftError(field, `The ${what} must be 0-${most}.${spelling(text, wholeOf)}`);
}

function hex(field: "raw" | "payload", text: string): Uint8Array {
  try {
    return parseHex(text);
  } catch (error) {
    if (error instanceof HexError) throw new DraftError(field, error.message);
    throw error;
  }
}

function familyOf(text: string): 4 | 6 {
  return text.includes(":") ? 6 : 4;
}

function isUnicast(text: string): boolean {
  const bytes = parsePrefix(text)?.address ?? [];
  const first = bytes[0] ?? 0;
  return bytes.length === 4 ? first < 224 : first !== 0xff;
}

/** Return another address of the same net: the next one, or the one before the last. */
function neighbour(own: string): string {
  const bytes = parseAddress(own)?.slice();
  if (bytes === undefined) return "";
  const last = bytes.length - 1;
  const value = bytes[last] ?? 0;
  bytes[last] = value >= 254 ? value - 1 : value + 1;
  return bytes.length === 4 ? ipv4Text(bytes, 0) : ipv6Text(bytes, 0);
}

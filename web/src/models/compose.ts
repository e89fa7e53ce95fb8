/** A packet in the making: fields as they are typed, and the bytes they yield. */

import { computed, signal } from "@preact/signals";
import { parseAddress } from "../packet/address";
import { echoRequest, repaired, tcp, udp } from "../packet/build";
import { decode } from "../packet/decode";
import { formatHex, HexError, parseHex } from "../packet/hex";
import { Injector, MAX_COUNT, MAX_RATE, type Plan } from "./injector";
import { hostRule } from "./rules";

export const KINDS = [
  { id: "echo", label: "ICMP echo" },
  { id: "udp", label: "UDP" },
  { id: "syn", label: "TCP SYN" },
  { id: "raw", label: "Raw bytes" },
] as const;

export type Kind = (typeof KINDS)[number]["id"];
export type Repeat = "once" | "times" | "rate";

export interface Draft {
  readonly kind: Kind;
  readonly source: string;
  readonly destination: string;
  readonly ttl: string;
  readonly identifier: string;
  readonly sequence: string;
  readonly sourcePort: string;
  readonly destinationPort: string;
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

const EMPTY: Draft = {
  kind: "echo",
  source: "",
  destination: "",
  ttl: "64",
  identifier: "1",
  sequence: "1",
  sourcePort: "40000",
  destinationPort: "53",
  payload: "wintun-api",
  payloadIsHex: false,
  raw: "",
  repair: true,
  repeat: "once",
  count: "100",
  rate: "50",
};

export class ComposeModel {
  readonly draft = signal<Draft>(EMPTY);
  readonly injector = new Injector();
  /** The first packet, or what is wrong. */
  readonly packet = computed<Uint8Array | string>(() => {
    try {
      return build(this.draft.value, 0);
    } catch (error) {
      if (error instanceof RangeError || error instanceof HexError) return error.message;
      throw error;
    }
  });
  readonly decoded = computed(() =>
    typeof this.packet.value === "string" ? null : decode(this.packet.value),
  );
  readonly planError = computed(() => planRule(this.draft.value));

  set(change: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...change };
  }

  /** Aim at an adapter: from a neighbour of its first address to itself. Leaves what was typed. */
  aim(addresses: readonly string[]): void {
    const { source, destination } = this.draft.peek();
    const own = addresses[0]?.split("/")[0];
    if (source !== "" || destination !== "" || own === undefined) return;
    this.set({ source: neighbour(own), destination: own });
  }

  /** Take a packet that came, to be edited and sent again. */
  replay(bytes: Uint8Array): void {
    this.set({ kind: "raw", raw: formatHex(bytes), repair: true });
  }

  /** Return what to send; throws where `packet` or `planError` say what is wrong. */
  plan(): Plan {
    const draft = this.draft.value;
    const { repeat, count, rate } = draft;
    return {
      make: (index) => build(draft, index),
      count: repeat === "once" ? 1 : count === "" ? Number.POSITIVE_INFINITY : Number(count),
      rate: repeat === "rate" ? Number(rate) : null,
    };
  }
}

/** Build packet number `index` of a draft. Throws RangeError or HexError with a sentence. */
export function build(draft: Draft, index: number): Uint8Array {
  if (draft.kind === "raw") {
    const bytes = parseHex(draft.raw);
    if (bytes.length === 0) throw new RangeError("Type the bytes of a packet.");
    return draft.repair ? repaired(bytes) : bytes;
  }
  const envelope = {
    source: address("source", draft.source),
    destination: address("destination", draft.destination),
    ttl: whole("TTL", draft.ttl),
    data: draft.payloadIsHex ? parseHex(draft.payload) : new TextEncoder().encode(draft.payload),
  };
  if (draft.kind === "echo") {
    const sequence = (whole("sequence number", draft.sequence) + index) & 0xffff;
    return echoRequest({
      ...envelope,
      identifier: whole("identifier", draft.identifier),
      sequence,
    });
  }
  const ports = {
    sourcePort: whole("source port", draft.sourcePort),
    destinationPort: whole("destination port", draft.destinationPort),
  };
  if (draft.kind === "udp") return udp({ ...envelope, ...ports });
  const sequence = (whole("sequence number", draft.sequence) + index) >>> 0;
  return tcp({ ...envelope, ...ports, sequence });
}

function planRule({ repeat, count, rate }: Draft): string {
  const endless = repeat === "rate" && count === "";
  if (repeat !== "once" && !endless && !(Number(count) >= 1 && Number(count) <= MAX_COUNT)) {
    return `Send from 1 to ${MAX_COUNT.toLocaleString("en")} packets.`;
  }
  if (repeat === "rate" && !(Number(rate) > 0 && Number(rate) <= MAX_RATE)) {
    return `The rate is above 0 and at most ${MAX_RATE.toLocaleString("en")} packets/s.`;
  }
  return "";
}

function address(what: string, text: string): Uint8Array {
  const parsed = parseAddress(text.trim());
  if (parsed === null) {
    throw new RangeError(text === "" ? `Type a ${what} address.` : hostRule(text));
  }
  return parsed;
}

function whole(what: string, text: string): number {
  if (!/^\d+$/.test(text.trim())) throw new RangeError(`The ${what} is a whole number.`);
  return Number(text);
}

/** Return another address of the same net: the next one, or the one before the last. */
function neighbour(own: string): string {
  const bytes = parseAddress(own)?.slice();
  if (bytes === undefined) return "";
  const last = bytes.length - 1;
  const value = bytes[last] ?? 0;
  bytes[last] = value >= 254 ? value - 1 : value + 1;
  return bytes.length === 4
    ? bytes.join(".")
    : own.replace(/[^:]*$/, (bytes[last] ?? 0).toString(16));
}

/** What a conversation is called, and what its cells say. */

import type { Conversation, ConversationState, How } from "../analysis/conversation";
import { protocolName } from "../packet/names";
import { scaled } from "./units";

export const STATES: Readonly<Record<ConversationState, string>> = {
  opening: "SYN sent",
  established: "Established",
  closing: "Closing",
  closed: "Closed",
  reset: "Reset",
  refused: "Refused",
  answered: "Answered",
  unanswered: "Unanswered",
};

export const ABOUT_STATES: Readonly<Record<ConversationState, string>> = {
  opening: "One end asked for the connection, and the other end has not answered yet.",
  established: "Data can go both ways.",
  closing: "One end has closed its direction; the other can still send.",
  closed: "Both ends have closed the connection.",
  reset: "One end broke off the connection.",
  refused: "The other end refused the connection.",
  answered: "Both ends have sent packets.",
  unanswered: "Only one end has sent packets.",
};

/** "TLS", "TCP", "UDP": the application where it is known, and what carries it. */
export function protocolOf({ protocol, application }: Conversation): string {
  return application || protocolName(protocol);
}

/** "10.6.7.7:443", "[fd00::1]:443". */
export function endText(address: string, port: number): string {
  if (port < 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The display filter that shows the packets of a conversation. */
export function filterOf(one: Conversation): string {
  if (one.stream >= 0) return `${one.protocol === 6 ? "tcp" : "udp"}.stream == ${one.stream}`;
  const field = one.source.includes(":") ? "ipv6" : "ip";
  const next = field === "ipv6" ? "ipv6.nxt" : "ip.proto";
  const known: Readonly<Record<number, string>> = { 1: "icmp", 58: "icmpv6" };
  const protocol = known[one.protocol] ?? `${next} == ${one.protocol}`;
  return `${protocol} and ${field}.addr == ${one.source} and ${field}.addr == ${one.destination}`;
}

/** How it can be followed, the best way first; empty where it carries no bytes of its own. */
export function waysToFollow(one: Conversation): readonly How[] {
  const { protocol, application, hasHttp } = one;
  if (protocol === 17) return ["udp"];
  if (protocol !== 6) return [];
  if (!hasHttp) return ["tcp"];
  return application === "HTTP" ? ["http", "tcp"] : ["tcp", "http"];
}

/** Seconds from its first packet to its newest. */
export function secondsOf({ startNs, endNs }: Conversation): number {
  return Number(endNs - startNs) / 1e9;
}

/** Bits a second of both directions; 0 where no time passed. */
export function rateOf(one: Conversation): number {
  const seconds = secondsOf(one);
  return seconds > 0 ? (8 * (one.bytes[0] + one.bytes[1])) / seconds : 0;
}

/** "1.25 s", "3.2 ms", "25 µs"; nothing for no time at all. */
export function spanText(seconds: number): string {
  if (seconds <= 0) return "";
  if (seconds >= 100) return `${Math.round(seconds).toLocaleString("en")}\u00a0s`;
  if (seconds >= 1) return `${seconds.toFixed(2)}\u00a0s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toFixed(seconds < 0.1 ? 1 : 0)}\u00a0ms`;
  return `${Math.round(seconds * 1e6)}\u00a0µs`;
}

export function rateText(one: Conversation): string {
  const rate = rateOf(one);
  return rate > 0 ? scaled(rate, "b/s") : "";
}

export function bytesText(bytes: number): string {
  return bytes === 0 ? "0\u00a0B" : scaled(bytes, "B");
}

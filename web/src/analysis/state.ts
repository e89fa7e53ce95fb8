/** A conversation as it is told to others. */

import { ipv4Text, ipv6Text } from "../packet/address";
import type { Conversation, ConversationState } from "./conversation";
import type { Flow } from "./flow";

export function describe(flow: Flow, epoch: bigint): Conversation {
  const text = flow.version === 4 ? ipv4Text : ipv6Text;
  flow.texts ??= [text(flow.addresses, 0), text(flow.addresses, 16)];
  const [low, high] = flow.texts;
  const isLow = flow.opener === 0;
  const [a = 0, b = 0, c = 0, d = 0] = flow.packets;
  const [e = 0, f = 0, g = 0, i = 0] = flow.bytes;
  return {
    id: flow.id,
    protocol: flow.protocol,
    stream: flow.stream,
    application: flow.application,
    hasHttp: flow.requests + flow.responses > 0,
    source: isLow ? low : high,
    sourcePort: isLow ? flow.lowPort : flow.highPort,
    destination: isLow ? high : low,
    destinationPort: isLow ? flow.highPort : flow.lowPort,
    fromHost: flow.fromHost,
    packets: [a + c, b + d],
    bytes: [e + g, f + i],
    hostPackets: [a + b, c + d],
    hostBytes: [e + f, g + i],
    startNs: epoch + BigInt(flow.start),
    endNs: epoch + BigInt(flow.end),
    rttNs: Number.isNaN(flow.rtt) ? null : flow.rtt,
    state: stateOf(flow),
    retransmissions: flow.retransmissions,
    firstRow: flow.firstRow,
    lastRow: flow.lastRow,
  };
}

function stateOf(flow: Flow): ConversationState {
  const [a = 0, b = 0, c = 0, d = 0] = flow.packets;
  if (flow.sides === null) return a + c > 0 && b + d > 0 ? "answered" : "unanswered";
  const steps = flow.completeness;
  if ((steps & 32) !== 0) return (steps & 3) === 1 ? "refused" : "reset";
  const fins = flow.sides.filter((side) => side.hasFin).length;
  if (fins > 0) return fins === 2 ? "closed" : "closing";
  return (steps & 14) === 0 && b + d === 0 ? "opening" : "established";
}

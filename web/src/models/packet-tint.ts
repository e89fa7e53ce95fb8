/** What makes a row stand out: trouble that a reader should see while scrolling past. */

import type { Dissection, Field } from "../packet/dissection";

/** The first that fits is shown; its sign stands in the row, so that colour is not all that tells. */
export const TINTS = [
  { id: "malformed", sign: "✗", label: "Malformed: the packet breaks the rules of its protocol" },
  { id: "checksum", sign: "≠", label: "A checksum is wrong" },
  { id: "reset", sign: "⊗", label: "TCP reset: a connection was refused or cut off" },
  { id: "icmp", sign: "!", label: "ICMP error: a packet could not be delivered" },
  { id: "dns", sign: "?", label: "DNS failure: the name was not found, or the server failed" },
  { id: "sequence", sign: "↻", label: "TCP trouble: sent again, out of order, missing or stalled" },
] as const;

export type Tint = (typeof TINTS)[number]["id"];

const BAD = 0;
const ILLEGAL = 4;
const ECHO = 128; // ICMPv6 types below are errors
const ICMP_ERRORS = [3, 4, 5, 11, 12];
/** What the analysis says of healthy connections too. */
const HARMLESS = /\[TCP (?:Window Update|Keep-Alive(?: ACK)?)\] /g;

/** Return what is wrong with a packet, if anything; `prefix` is what the analysis says of it. */
export function tintOf({ layers }: Dissection, prefix: string): Tint | null {
  let found: number = TINTS.length;
  const take = (tint: Tint): void => {
    const at = TINTS.findIndex(({ id }) => id === tint);
    found = Math.min(found, at);
  };
  const look = ({ name, value, fields }: Field): void => {
    if (name === "_ws.malformed") take("malformed");
    else if (name.endsWith(".checksum.status")) {
      if (value === BAD || value === ILLEGAL) take("checksum");
    } else if (name === "tcp.flags.reset") {
      if (value === true || value === 1) take("reset");
    } else if (name === "icmp.type") {
      if (ICMP_ERRORS.includes(Number(value))) take("icmp");
    } else if (name === "icmpv6.type") {
      if (Number(value) < ECHO) take("icmp");
    } else if (name === "dns.flags.rcode" && Number(value) > 0) take("dns");
    fields.forEach(look);
  };
  for (const layer of layers) {
    look(layer);
    // What follows an error is the packet that it is about.
    if (found === 3 && layer.name.startsWith("icmp")) break;
  }
  if (prefix.replace(HARMLESS, "") !== "") take("sequence");
  return TINTS[found]?.id ?? null;
}

/** What a filter is told whose word is not known, and the filter that is offered in its place. */

import { parsePrefix } from "../packet/address";
import { FIELDS, nearest } from "./fields";
import { FilterError, type Token } from "./lexer";
import { byPort } from "./undecoded";

const LINK_LAYER = /^(?:eth|arp|vlan|wlan|llc|stp|lldp|cdp|sll|ppp)(?:\.|$)/i;
const OPERATOR = String.raw`(?:[=!<>~]{1,3}|(?:eq|ne|gt|lt|ge|le|contains|matches)\b)`;
const VALUE = String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s()"]+)`;
/** An operator with its value, behind a word. */
const COMPARED = new RegExp(String.raw`^\s*${OPERATOR}\s*${VALUE}`, "i");

/** Return a filter that is understood: this one, or this one mended elsewhere as well. */
export type Mend = (filter: string) => string | undefined;

/** Where a word stands in a filter. */
interface Place {
  readonly filter: string;
  /** Whether an operator follows it. */
  readonly isCompared: boolean;
  /** The field and operator of the comparison before it, `tcp.port == `; "" for none. */
  readonly repeated: string;
}

/** Return the error for a word that is not a field, a protocol or an operator. */
export function unknownWord(
  { text: word, start, end }: Token,
  { filter, isCompared, repeated }: Place,
  mend: Mend,
): FilterError {
  const refuse = (message: string, offer?: string): FilterError =>
    new FilterError(message, start, end, offer);
  const before = filter.slice(0, start);
  const after = filter.slice(end);
  const replaced = (by: string, rest = after): string | undefined => mend(before + by + rest);
  const quoted = `"${word}"`;

  if (LINK_LAYER.test(word)) {
    const what = `Packets begin with their IP header here, so there is no ${word} in any of them.`;
    const not = /(?:\bnot\s+|!\s*)$/i.exec(before);
    if (not !== null) {
      const rest = isCompared ? "" : without(filter, not.index, end);
      return refuse(what, rest === "" ? undefined : mend(rest));
    }
    if (isCompared) return refuse(what);
    return refuse(`${what} Search the text for it: ${quoted}.`, replaced(quoted));
  }
  if (/^_ws\.expert\b/i.test(word)) {
    const what = "tcp.analysis.flags finds trouble of TCP, and _ws.malformed what is malformed";
    return refuse(`There is no ${word} here: ${what}.`);
  }
  if (word.endsWith(".")) return refuse(`The name of a field is missing after ${quoted}.`);
  const [protocol = ""] = word.split(".");
  const ports = byPort(protocol.toLowerCase());
  if (ports !== undefined) {
    const what = `"${protocol}" is not decoded here. Find its packets by port: ${ports}.`;
    return refuse(what, replaced(ports, after.replace(COMPARED, "")));
  }
  if (!isCompared) {
    const alone = aloneError(word, repeated, replaced);
    if (alone !== undefined) return refuse(...alone);
  }
  const near = meant(word.toLowerCase());
  if (near !== undefined) {
    return refuse(`There is no field ${quoted}; did you mean ${near}?`, replaced(near));
  }
  const isField = isCompared || FIELDS.get(protocol.toLowerCase())?.kind === "protocol";
  if (isField) return refuse(`There is no field ${quoted}.`);
  return refuse(
    `${quoted} is not a field, protocol or operator. Search the text for it: ${quoted}.`,
    replaced(quoted),
  );
}

/** Return what is said of a value that stands alone; undefined for a word that may be a name. */
function aloneError(
  word: string,
  repeated: string,
  replaced: (by: string) => string | undefined,
): [message: string, offer: string | undefined] | undefined {
  if (repeated !== "" && !/^[a-z_]\w*\./i.test(word)) {
    const again = repeated + word;
    const offer = replaced(again);
    if (offer !== undefined) {
      return [`"${word}" is compared with nothing. Write the field again: ${again}.`, offer];
    }
  }
  if (parsePrefix(word) !== null) {
    return [`"${word}" is an address. Write host ${word} to find it.`, replaced(`host ${word}`)];
  }
  if (/^\d{1,5}$/.test(word)) {
    return [`"${word}" is a number. Write port ${word} if it is a port.`, replaced(`port ${word}`)];
  }
  return undefined;
}

/** Last parts of names as they are in other programs, or as people remember them. */
const SLIPS: Readonly<Record<string, string>> = {
  destination: "dst",
  dport: "dstport",
  query: "qry.name",
  retransmit: "analysis.retransmission",
  rtt: "ack_rtt",
  source: "src",
  sport: "srcport",
  status: "response.code",
};

/** Return the field that was meant by a name that none has, undefined when none is near. */
export function meant(name: string): string | undefined {
  const [protocol = ""] = name.split(".", 1);
  const rest = name.slice(protocol.length + 1);
  if (rest === "") return nearest(name, name.charAt(0));
  if (FIELDS.get(protocol)?.kind !== "protocol") return nearest(name);
  const last = name.lastIndexOf(".") + 1;
  const slipped = name.slice(0, last) + (SLIPS[name.slice(last)] ?? "?");
  if (FIELDS.has(slipped)) return slipped;
  const head = `${protocol}.`;
  const names = [...FIELDS.keys()];
  const within = names.find((one) => one.startsWith(head) && one.endsWith(`.${rest}`));
  return within ?? (rest.length < 4 ? undefined : nearest(name, head));
}

/**
 * Return a filter without the "not" at `start` and the protocol that ends at `end`, which no packet
 * has; "" where the rest would not mean the same.
 */
function without(filter: string, start: number, end: number): string {
  if (/\bxor\b|\^\^/i.test(filter)) return "";
  const head = filter.slice(0, start);
  const after = filter.slice(end);
  const [left, right] = [/(?:\band|&&)\s*$/i, /^\s*(?:and\b|&&)/i];
  if (right.test(after) && (left.test(head) || /^$|(?:\(|\bor|\|\|)$/i.test(head.trim()))) {
    return head + after.replace(right, "").trim();
  }
  return left.test(head) ? head.replace(left, "").trim() + after : "";
}

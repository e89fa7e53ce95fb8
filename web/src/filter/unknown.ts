/** What a filter is told whose word is not known, and the filter that is offered in its place. */

import { nearest } from "./fields";
import { FilterError, type Token } from "./lexer";
import { byPort } from "./undecoded";

const LINK_LAYER = /^(?:eth|arp|vlan|wlan|llc|stp|lldp|cdp|sll|ppp)(?:\.|$)/i;

/**
 * Return the error for a word that is not a field, a protocol or an operator. `isCompared` says
 * whether an operator follows it, `compiles` whether a filter would be understood.
 */
export function unknownWord(
  { text: word, start, end }: Token,
  filter: string,
  isCompared: boolean,
  compiles: (filter: string) => boolean,
): FilterError {
  const refuse = (message: string, offer = ""): FilterError =>
    offer !== "" && compiles(offer)
      ? new FilterError(message, start, end, offer)
      : new FilterError(message, start, end);
  const replaced = (by: string): string => filter.slice(0, start) + by + filter.slice(end);
  const quoted = `"${word}"`;

  if (LINK_LAYER.test(word)) {
    const what = `Packets begin with their IP header here, so there is no ${word} in any of them.`;
    const not = /(?:\bnot\s+|!\s*)$/i.exec(filter.slice(0, start));
    if (not === null) {
      return refuse(`${what} Search the text for it: ${quoted}.`, replaced(quoted));
    }
    return refuse(what, isCompared ? "" : without(filter, not.index, end));
  }
  if (/^_ws\.expert\b/i.test(word)) {
    const what = "tcp.analysis.flags finds trouble of TCP, and _ws.malformed what is malformed";
    return refuse(`There is no ${word} here: ${what}.`);
  }
  const [protocol = ""] = word.split(".");
  const ports = byPort(protocol.toLowerCase());
  if (ports !== undefined) {
    const what = `${protocol.toUpperCase()} is not decoded here. Find its packets by port`;
    return refuse(`${what}: ${ports}.`, replaced(ports));
  }
  const near = nearest(word.toLowerCase());
  if (near !== undefined) {
    return refuse(`There is no field ${quoted}; did you mean ${near}?`, replaced(near));
  }
  if (isCompared || word.includes(".")) return refuse(`There is no field ${quoted}.`);
  return refuse(
    `${quoted} is not a field, protocol or operator. Search the text for it: ${quoted}.`,
    replaced(quoted),
  );
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

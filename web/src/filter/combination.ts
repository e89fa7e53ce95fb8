/** Tests of a packet that are made of others, and the one that looks for a text everywhere. */

import { findText } from "../packet/bytes";
import type { Node } from "./reading";

const TEXT_COST = 80;

/** All must hold: what costs least is tried first. */
export function every(nodes: readonly Node[]): Node {
  const sorted = [...nodes].sort((a, b) => a.cost - b.cost);
  return { cost: total(nodes), test: (subject) => sorted.every((node) => node.test(subject)) };
}

export function some(nodes: readonly Node[]): Node {
  const sorted = [...nodes].sort((a, b) => a.cost - b.cost);
  return { cost: total(nodes), test: (subject) => sorted.some((node) => node.test(subject)) };
}

export function odd(nodes: readonly Node[]): Node {
  return {
    cost: total(nodes),
    test: (subject) => nodes.filter((node) => node.test(subject)).length % 2 === 1,
  };
}

function total(nodes: readonly Node[]): number {
  return nodes.reduce((sum, { cost }) => sum + cost, 0);
}

/** Look in the bytes first, which is quick, then in what the table says of the packet. */
export function freeText(text: string): Node {
  const wanted = text.toLowerCase();
  const needle = new TextEncoder().encode(wanted);
  return {
    cost: TEXT_COST,
    test: (subject) => {
      const { bytes, start, end } = subject.headers;
      if (needle.length > 0 && findText(bytes, start, end, needle) >= 0) return true;
      const { source, destination, protocol, info } = subject.dissection;
      return `${source} ${destination} ${protocol} ${info}`.toLowerCase().includes(wanted);
    },
  };
}

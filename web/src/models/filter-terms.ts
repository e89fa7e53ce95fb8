/** Filters that are put together from what a packet shows: one term, or one more term. */

import { fieldOf } from "../filter/fields";
import type { Field } from "../packet/dissection";

/** How a term is put to the filter that is there. */
export type Joint = "only" | "not" | "and" | "or" | "and not" | "or not";

const ADDRESS = /^(?=.*[.:])[\da-f.:]+$/i;

/** Return the filter for packets that have this field with this value. */
export function termOf({ name, value }: Pick<Field, "name" | "value">): string {
  const kind = fieldOf(name)?.kind;
  if (typeof value === "boolean") {
    // A mark is there or not; a flag is always there.
    if (kind === "boolean") return `${name} == ${Number(value)}`;
    return value ? name : `not ${name}`;
  }
  if (value === "") return name;
  if (kind === "bytes" && /^(?:[\da-f]{2})+$/i.test(String(value))) {
    return `${name} == ${String(value).match(/../g)?.join(":")}`;
  }
  const isPlain = typeof value === "number" || ADDRESS.test(value);
  return `${name} == ${isPlain ? value : quoted(value)}`;
}

/** Return a text as a filter writes it: between quotes. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Put a term to a filter. Parentheses keep the meaning of what was there. */
export function joined(filter: string, joint: Joint, term: string): string {
  const before = filter.trim();
  const isNot = joint.endsWith("not");
  const next = isNot ? (/^not /.test(term) ? term.slice(4) : `not ${grouped(term)}`) : term;
  if (before === "" || joint === "only" || joint === "not") return next;
  return `${grouped(before)} ${joint.slice(0, 3).trim()} ${next}`;
}

function grouped(filter: string): string {
  return /\s(?:and|or|xor|&&|\|\||\^\^)\s/i.test(filter) ? `(${filter})` : filter;
}

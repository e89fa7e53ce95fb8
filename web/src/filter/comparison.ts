/** Comparisons of a field with values, compiled to tests. */

import { inPrefix, type Prefix, parsePrefix } from "../packet/address";
import { decode } from "../packet/decode";
import type { Dissection, Field, Value } from "../packet/dissection";
import type { Headers } from "../packet/headers";
import { PORT_NAMES } from "../packet/names";
import type { AddressField, NumberReader, Test } from "./fields";
import { FilterError, type Token } from "./lexer";

export type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains";

const PORTS = new Map(Object.entries(PORT_NAMES).map(([port, name]) => [name, Number(port)]));
PORTS.set("dns", 53);

/** Compare numbers; with several of them one that fits is enough, but `!=` asks it of all. */
export function compareNumbers(
  read: readonly NumberReader[],
  operator: Operator,
  value: Token,
  ports: boolean,
): Test {
  const wanted = rangeOf(value, ports);
  if (operator === "!=") {
    const equal = anyNumber(read, (n) => n >= wanted[0] && n <= wanted[1]);
    return (h) => read.some((one) => one(h) >= 0) && !equal(h);
  }
  if (operator === "==") {
    const [low, high] = wanted;
    return low === high
      ? anyNumber(read, (n) => n === low)
      : anyNumber(read, (n) => n >= low && n <= high);
  }
  if (operator === "contains") throw unfit(operator, "a number", value);
  if (wanted[0] !== wanted[1]) throw unfit(operator, "a range", value);
  return anyNumber(read, ordering(operator, wanted[0]));
}

/** Compare addresses with a prefix. */
export function compareAddresses(field: AddressField, operator: Operator, value: Token): Test {
  const prefix = parsePrefix(value.text);
  if (prefix === null) {
    throw new FilterError(
      `"${value.text}" is not an address. Examples: 10.6.7.7, 10.6.7.0/24, fd06::/16.`,
      value.start,
      value.end,
    );
  }
  if (field.version === 6 && prefix.address.length === 4) {
    throw new FilterError("This field is of IPv6; ip.addr takes both.", value.start, value.end);
  }
  const equal = inEither(field, prefix);
  if (operator === "==") return equal;
  if (operator === "!=") return (h) => h.version !== 0 && !equal(h);
  throw unfit(operator, "an address", value);
}

/** Compare what the decoder finds under a name. */
export function compareDecoded(name: string, operator: Operator, value: Token): Test {
  const wanted = value.text.toLowerCase();
  const numeric = parseNumber(wanted) ?? booleanOf(wanted);
  const fits = (found: Value): boolean => {
    if (operator === "contains") return String(found).toLowerCase().includes(wanted);
    if (operator === "==" || operator === "!=") {
      return typeof found === "string" ? found.toLowerCase() === wanted : Number(found) === numeric;
    }
    return numeric !== null && ordering(operator, numeric)(Number(found));
  };
  const positive: Test = (h) => anyField(decoded(h).layers, name, fits);
  if (operator !== "!=") return positive;
  return (h) => hasDecoded(name)(h) && !positive(h);
}

/** Say whether the decoder finds the field at all; a flag must be set. */
export function hasDecoded(name: string): Test {
  return (h) => anyField(decoded(h).layers, name, (value) => value !== false);
}

let lastBytes: Uint8Array | null = null;
let lastStart = -1;
let last: Dissection | null = null;

/** Decode the packet a filter looks at, once however many tests ask. */
export function decoded(h: Headers): Dissection {
  if (last === null || lastBytes !== h.bytes || lastStart !== h.start) {
    last = decode(h.bytes.subarray(h.start, h.end), h.originalLength);
    lastBytes = h.bytes;
    lastStart = h.start;
  }
  return last;
}

/** Let go of the packet that was decoded last. */
export function forgetDecoded(): void {
  last = lastBytes = null;
}

function parseNumber(text: string): number | null {
  return /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : null;
}

function booleanOf(text: string): number | null {
  return text === "true" ? 1 : text === "false" ? 0 : null;
}

function rangeOf(value: Token, ports: boolean): [number, number] {
  const [low, high = low, ...rest] = value.text.split(/\.\.|(?<=\d)-(?=\d)/);
  const bounds = [low, high].map((part) => {
    const text = (part ?? "").toLowerCase();
    return parseNumber(text) ?? booleanOf(text) ?? (ports ? (PORTS.get(text) ?? null) : null);
  });
  const [from = null, to = null] = bounds;
  if (from === null || to === null || rest.length > 0) {
    const what = ports ? "port. Examples: 443, 8000-8100, https" : "number";
    throw new FilterError(`"${value.text}" is not a ${what}.`, value.start, value.end);
  }
  return [from, to];
}

function anyNumber(read: readonly NumberReader[], fits: (value: number) => boolean): Test {
  const [first, second] = read;
  if (first !== undefined && second === undefined) {
    return (h) => {
      const value = first(h);
      return value >= 0 && fits(value);
    };
  }
  return (h) => read.some((one) => one(h) >= 0 && fits(one(h)));
}

function ordering(operator: Operator, wanted: number): (value: number) => boolean {
  switch (operator) {
    case "<":
      return (value) => value < wanted;
    case "<=":
      return (value) => value <= wanted;
    case ">":
      return (value) => value > wanted;
    default:
      return (value) => value >= wanted;
  }
}

function inEither(field: AddressField, prefix: Prefix): Test {
  const four = prefix.address.length === 4;
  const places = field.ends.map((end) => {
    if (end === "source") return four ? 12 : 8;
    return four ? 16 : 24;
  });
  const version = four ? 4 : 6;
  const [first = 0, second = -1] = places;
  const at = (h: Headers, ip: number): boolean =>
    inPrefix(h.bytes, ip + first, prefix) ||
    (second >= 0 && inPrefix(h.bytes, ip + second, prefix));
  return (h) =>
    (h.outer === version && at(h, h.start)) ||
    (h.ip !== h.start && h.version === version && at(h, h.ip));
}

function anyField(
  fields: readonly Field[],
  name: string,
  fits: (value: Value) => boolean,
): boolean {
  return fields.some(
    (field) => (field.name === name && fits(field.value)) || anyField(field.fields, name, fits),
  );
}

function unfit(operator: Operator, what: string, value: Token): FilterError {
  return new FilterError(`${operator} does not go with ${what}.`, value.start, value.end);
}

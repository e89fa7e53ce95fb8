/** Operands that are made of others: slices, functions and arithmetic. */

import { bytesOf, order } from "./comparison";
import type { Kind } from "./fields";
import { FilterError, type Token } from "./lexer";
import { CHEAP, type Operand, type Raw } from "./reading";

type Pair = (a: number, b: number) => number | undefined;

const bitwise = (a: number, b: number): number =>
  a <= 0xffffffff && b <= 0xffffffff
    ? Number((a & b) >>> 0)
    : Number(BigInt(Math.trunc(a)) & BigInt(Math.trunc(b)));

/** Signs of arithmetic with what they do, the ones that bind closest last. */
export const ARITHMETIC: readonly Readonly<Record<string, Pair>>[] = [
  { "&": bitwise },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  {
    "*": (a, b) => a * b,
    "/": (a, b) => (b === 0 ? undefined : Math.trunc(a / b)),
    "%": (a, b) => (b === 0 ? undefined : a % b),
  },
];

const isNumeric = ({ kind }: Operand): boolean => kind === "number" || kind === "boolean";

/** Return an operand whose one value is a constant. */
export function constant(kind: Kind, value: Raw, name: string): Operand {
  const most = Number.POSITIVE_INFINITY;
  return { kind, name, most, named: false, cost: 0, each: (_, visit) => visit(value) };
}

/** Calculate with each value of both. */
export function calculate(left: Operand, sign: Token, right: Operand, pair: Pair): Operand {
  const base = {
    most: Number.POSITIVE_INFINITY,
    named: false,
    cost: left.cost + right.cost,
  };
  const name = `${left.name} ${sign.text} ${right.name}`;
  const both = (make: (a: Raw, b: Raw) => Raw | undefined): Operand["each"] => {
    return (subject, visit) =>
      left.each(subject, (a) =>
        right.each(subject, (b) => {
          const value = make(a, b);
          return value !== undefined && visit(value);
        }),
      );
  };
  const kinds = [left.kind, right.kind];
  if (sign.text === "&" && kinds.every((kind) => kind === "bytes")) {
    const each = both((a, b) => bytesOf(a).map((byte, at) => byte & (bytesOf(b)[at] ?? 0)));
    return { ...base, name, kind: "bytes", each };
  }
  const addresses = sign.text === "&" && kinds.every((kind) => kind === "ipv4");
  if (!addresses && !(isNumeric(left) && isNumeric(right))) {
    throw new FilterError(`${sign.text} needs numbers on both sides.`, sign.start, sign.end);
  }
  const each = both((a, b) => pair(Number(a), Number(b)));
  return { ...base, name, kind: addresses ? "ipv4" : "number", each };
}

/** Return the bytes of an operand that a slice such as `0:4`, `-2:`, `1-3` or `0,2` names. */
export function slice(of: Operand, { text, start, end }: Token): Operand {
  const isAddress = of.kind === "ipv4" || of.kind === "ipv6";
  if (!isAddress && of.kind !== "text" && of.kind !== "bytes" && of.kind !== "protocol") {
    throw new FilterError(`${of.name} has no bytes to take a slice of.`, start, end);
  }
  const parts = text.split(",").map((part): ((size: number) => readonly [number, number]) => {
    const [, first, sign, last] =
      /^\s*(-?\d+)?\s*(:|(?<=\d\s*)-(?=\s*\d))?\s*(-?\d+)?\s*$/.exec(part) ?? [];
    if (first === undefined && sign !== ":") {
      throw new FilterError(
        "A slice is written as [offset:length], [first-last], [:length] or [offset].",
        start,
        end,
      );
    }
    return (size) => {
      const from = first === undefined ? 0 : Number(first) + (first.startsWith("-") ? size : 0);
      if (sign === undefined) return [from, from + 1];
      if (sign === "-") return [from, Number(last) + 1];
      return [from, last === undefined ? size : from + Number(last)];
    };
  });
  return {
    kind: "bytes",
    name: `${of.name}[${text}]`,
    most: 0,
    named: false,
    cost: of.cost,
    each: (subject, visit) =>
      of.each(subject, (raw) => {
        const bytes = of.kind === "ipv4" ? addressBytes(Number(raw)) : bytesOf(raw);
        const taken: number[] = [];
        for (const part of parts) {
          const [from, to] = part(bytes.length);
          if (from < 0 || from >= to || to > bytes.length) return false;
          taken.push(...bytes.subarray(from, to));
        }
        return visit(Uint8Array.from(taken));
      }),
  };
}

function addressBytes(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function addressText(address: number): string {
  return addressBytes(address).join(".");
}

/** Functions, with a line about each. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  len: "length in bytes",
  count: "how many there are in the packet",
  lower: "text in lower case",
  upper: "text in upper case",
  string: "a number or address as text",
  max: "the largest",
  min: "the smallest",
  abs: "without its sign",
};

/** Return what a function makes of its arguments. */
export function call(name: Token, args: readonly Operand[]): Operand {
  const [of, ...more] = args;
  const key = name.text.toLowerCase();
  const refuse = (message: string): never => {
    throw new FilterError(message, name.start, name.end);
  };
  if (of === undefined) return refuse(`${key}() needs a field between its brackets.`);
  const several = key === "max" || key === "min";
  if (more.length > 0 && !several) refuse(`${key}() takes one field.`);
  const base = {
    name: `${key}(${args.map((one) => one.name).join(", ")})`,
    most: Number.POSITIVE_INFINITY,
    named: false,
    cost: args.reduce((sum, one) => sum + one.cost, CHEAP),
  };
  const map = (kind: Kind, make: (raw: Raw) => Raw): Operand => ({
    ...base,
    kind,
    each: (subject, visit) => of.each(subject, (raw) => visit(make(raw))),
  });
  switch (key) {
    case "len":
      if (of.kind === "number" || of.kind === "boolean" || of.kind === "seconds")
        refuse(`len() needs text or bytes, and ${of.name} is a number.`);
      if (of.kind !== "protocol" || of.fields === undefined)
        return map("number", (raw) => (of.kind === "ipv4" ? 4 : bytesOf(raw).length));
      // Of a protocol it is that of its header.
      return {
        ...base,
        kind: "number",
        each: (subject, visit) =>
          of.fields?.(subject, ({ start, end }) => visit(end - start)) ?? false,
      };
    case "count":
      return {
        ...base,
        kind: "number",
        each: (subject, visit) => {
          let count = 0;
          of.each(subject, () => ++count < 0);
          return count > 0 && visit(count);
        },
      };
    case "lower":
    case "upper":
      if (of.kind !== "text") refuse(`${key}() needs text, and ${of.name} is something else.`);
      return map("text", (raw) =>
        key === "lower" ? String(raw).toLowerCase() : String(raw).toUpperCase(),
      );
    case "string":
      if (of.kind !== "number" && of.kind !== "ipv4" && of.kind !== "boolean")
        refuse(`string() needs a number or an IPv4 address.`);
      return map("text", (raw) => (of.kind === "ipv4" ? addressText(Number(raw)) : String(raw)));
    case "abs":
      if (!isNumeric(of)) refuse("abs() needs a number.");
      return map("number", (raw) => Math.abs(Number(raw)));
    default:
      if (args.some(({ kind }) => kind !== of.kind)) refuse(`${key}() needs values of one kind.`);
      return {
        ...base,
        kind: of.kind,
        each: (subject, visit) => {
          let best: Raw | undefined;
          for (const one of args) {
            one.each(subject, (raw) => {
              const better = best === undefined || order(raw, best) > 0 === (key === "max");
              if (better) best = raw;
              return false;
            });
          }
          return best !== undefined && visit(best);
        },
      };
  }
}

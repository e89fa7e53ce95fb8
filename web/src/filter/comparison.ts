/** Comparisons of what is read with values, or with something else that is read. */

import { parsePrefix } from "../packet/address";
import { isName, PORT_NAMES } from "../packet/names";
import type { Kind } from "./fields";
import { FilterError, type Token } from "./lexer";
import { momentOf } from "./moment";
import { compilePattern, PatternError } from "./pattern";
import { CHEAP, type Node, type Operand, type Raw } from "./reading";
import { UNDECODED_PORTS } from "./undecoded";

export type Operator =
  | "=="
  | "!="
  | "==="
  | "!=="
  | "<"
  | "<="
  | ">"
  | ">="
  | "contains"
  | "matches";
export type Quantifier = "any" | "all" | undefined;

/** Values from one to another; one alone is both. */
interface Range {
  readonly low: Raw;
  readonly high: Raw;
}

const PORTS = new Map(UNDECODED_PORTS);
for (const [port, name] of Object.entries(PORT_NAMES)) PORTS.set(name, Number(port));
PORTS.set("dns", 53);
/** Names of values that are in no table of the decoder's. */
const MORE_NAMES = ["bad", "good", "unverified", "not present", "illegal", "unknown", "in"];
const NUMBER = /^[+-]?(?:0x[0-9a-f]+|0b[01]+|\d+)$/i;
const utf8 = new TextEncoder();

/** Compare with a value that stands in the filter. */
export function compareValue(
  left: Operand,
  operator: Operator,
  value: Token,
  quantifier: Quantifier,
): Node {
  if (operator === "contains" || operator === "matches") return search(left, operator, value);
  if (isNamed(left, value)) return compareName(left, operator, value, quantifier);
  if (operator === "==" || operator === "!=" || operator === "===" || operator === "!==") {
    const { low, high } = rangeOf(left, value);
    return quantify(left, operator, quantifier, (raw) => within(raw, low, high));
  }
  const { low, high } = parsedValue(left, value);
  const holds: Readonly<Record<string, (raw: Raw) => boolean>> = {
    "<": (raw) => order(raw, low) < 0,
    "<=": (raw) => order(raw, high) <= 0,
    ">": (raw) => order(raw, high) > 0,
    ">=": (raw) => order(raw, low) >= 0,
  };
  return quantify(left, operator, quantifier, holds[operator] ?? (() => false));
}

/** Compare what is read with what else is read, each with each. */
export function compareOperands(
  left: Operand,
  operator: Operator,
  right: Operand,
  quantifier: Quantifier,
  place: Token,
): Node {
  const [kind, other] = [familyOf(left.kind), familyOf(right.kind)];
  if (kind !== other || kind === "mark" || operator === "matches") {
    throw new FilterError(
      operator === "matches"
        ? 'A pattern in quotes should follow matches, as in matches "GET|POST".'
        : `${left.name} and ${right.name} cannot be compared with each other.`,
      place.start,
      place.end,
    );
  }
  const holds: Readonly<Record<string, (a: Raw, b: Raw) => boolean>> = {
    "<": (a, b) => order(a, b) < 0,
    "<=": (a, b) => order(a, b) <= 0,
    ">": (a, b) => order(a, b) > 0,
    ">=": (a, b) => order(a, b) >= 0,
    contains: (a, b) => find(bytesOf(a), bytesOf(b)),
  };
  const holdsFor = holds[operator] ?? ((a: Raw, b: Raw) => order(a, b) === 0);
  const negative = operator === "!=" || operator === "!==";
  const test = negative ? (a: Raw, b: Raw): boolean => !holdsFor(a, b) : holdsFor;
  const all = isForAll(operator, quantifier);
  return {
    cost: left.cost + right.cost,
    test: (subject) => {
      const others: Raw[] = [];
      right.each(subject, (raw) => {
        others.push(raw);
        return false;
      });
      if (others.length === 0) return false;
      let seen = false;
      const stopped = left.each(subject, (a) => {
        seen = true;
        return all ? !others.every((b) => test(a, b)) : others.some((b) => test(a, b));
      });
      return all ? seen && !stopped : stopped;
    },
  };
}

function isForAll(operator: Operator, quantifier: Quantifier): boolean {
  return quantifier ? quantifier === "all" : operator === "!=" || operator === "===";
}

/** Say whether a value is one of several. */
export function compareSet(
  left: Operand,
  members: readonly (readonly [low: Token, high: Token | undefined])[],
  quantifier: Quantifier,
): Node {
  const tests = members.map(([first, last]): ((raw: Raw) => boolean) => {
    if (last === undefined) {
      const { low, high } = rangeOf(left, first);
      return (raw) => within(raw, low, high);
    }
    const { low } = parsedValue(left, first);
    const { high } = parsedValue(left, last);
    if (order(low, high) > 0) {
      throw new FilterError("This range ends before it begins.", first.start, last.end);
    }
    return (raw) => within(raw, low, high);
  });
  return quantify(left, "==", quantifier, (raw) => tests.some((test) => test(raw)));
}

/** Return the number that a value is for this operand. */
export function numberOf(left: Operand, value: Token): number {
  const { low } = parsedValue(left, value);
  if (typeof low === "number") return low;
  throw new FilterError(`A number is missing here.`, value.start, value.end);
}

/** Return the bytes that a value is. */
export function literalBytes(value: Token): Uint8Array {
  if (value.kind === "string" || value.kind === "char") return utf8.encode(value.text);
  const digits = value.text.replace(/^0x(?=(?:[0-9a-f]{2})+$)/i, "");
  const parts = /^[0-9a-f]{1,2}$/i.test(digits)
    ? [digits]
    : (/^(?:[0-9a-f]{2})+$/i.test(digits) && digits.match(/../g)) ||
      (/^[0-9a-f]{1,2}(?:[:.-][0-9a-f]{1,2})+$/i.test(digits) && digits.split(/[:.-]/));
  if (parts) return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
  throw new FilterError(
    `"${value.text}" is not a sequence of bytes. Write it as 47:45:54, or text in quotes.`,
    value.start,
    value.end,
  );
}

/** Order numbers, texts or bytes. */
export function order(a: Raw, b: Raw): number {
  if (typeof a === "object" && typeof b === "object") {
    const length = Math.min(a.length, b.length);
    for (let at = 0; at < length; at++) {
      const difference = (a[at] ?? 0) - (b[at] ?? 0);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

export function bytesOf(raw: Raw): Uint8Array {
  return typeof raw === "object" ? raw : utf8.encode(String(raw));
}

/** `==` asks for any value, `!=` that none is equal, `===` and `!==` as Wireshark has them. */
function quantify(
  left: Operand,
  operator: Operator,
  quantifier: Quantifier,
  holds: (raw: Raw) => boolean,
): Node {
  const negative = operator === "!=" || operator === "!==";
  const test = negative ? (raw: Raw): boolean => !holds(raw) : holds;
  if (!isForAll(operator, quantifier))
    return { cost: left.cost, test: (subject) => left.each(subject, test) };
  return {
    cost: left.cost,
    test: (subject) => {
      let seen = false;
      const fails = left.each(subject, (raw) => {
        seen = true;
        return !test(raw);
      });
      return seen && !fails;
    },
  };
}

function within(raw: Raw, low: Raw, high: Raw): boolean {
  return order(raw, low) >= 0 && order(raw, high) <= 0;
}

function search(left: Operand, operator: "contains" | "matches", value: Token): Node {
  if (!["text", "bytes", "protocol"].includes(left.kind)) {
    throw new FilterError(
      `${operator} needs text or bytes, and ${left.name} is ${whatIs(left)}.`,
      value.start,
      value.end,
    );
  }
  const cost = left.cost + (left.kind === "text" ? CHEAP : 10);
  if (operator === "contains") {
    const needle = left.kind === "text" ? utf8.encode(value.text) : literalBytes(value);
    return { cost, test: (subject) => left.each(subject, (raw) => find(bytesOf(raw), needle)) };
  }
  if (value.kind !== "string") {
    throw new FilterError(
      `Put the pattern in quotes: matches "${value.text}".`,
      value.start,
      value.end,
    );
  }
  try {
    const matches = compilePattern(value.text);
    return {
      cost: cost + 10,
      test: (subject) => left.each(subject, (raw) => matches(bytesOf(raw))),
    };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const at = Math.min(value.start + 1 + error.at, value.end - 1);
    throw new FilterError(`${error.message}.`, Math.max(value.start, at), value.end);
  }
}

function find(bytes: Uint8Array, needle: Uint8Array): boolean {
  const first = needle[0];
  if (first === undefined) return true;
  const last = bytes.length - needle.length;
  for (let at = bytes.indexOf(first); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let i = 1;
    while (i < needle.length && bytes[at + i] === needle[i]) i++;
    if (i === needle.length) return true;
  }
  return false;
}

/** Whether a word is the name of a number, as in `ip.checksum.status == "Bad"`. */
function isNamed(left: Operand, { kind, text }: Token): boolean {
  return left.named && left.fields !== undefined && (kind === "string" || !/^[\d+-]/.test(text));
}

function compareName(
  left: Operand,
  operator: Operator,
  value: Token,
  quantifier: Quantifier,
): Node {
  if (!/^[!=]=+$/.test(operator)) {
    throw new FilterError("A name can be compared with == and != only.", value.start, value.end);
  }
  const wanted = value.text.toLowerCase();
  if (!isName(wanted) && !MORE_NAMES.includes(wanted)) {
    throw new FilterError(`"${value.text}" is not the name of a value.`, value.start, value.end);
  }
  const { fields } = left;
  // What the tree shows is `Name (1)` or `1 (Name)`.
  const named: Operand = {
    ...left,
    each: (subject, visit) => fields?.(subject, ({ text }) => visit(text.toLowerCase())) ?? false,
  };
  return quantify(named, operator, quantifier, (raw) => {
    const text = String(raw);
    return text === wanted || text.startsWith(`${wanted} (`) || text.endsWith(`(${wanted})`);
  });
}

/** A value, or with `-`, `..` or a prefix several: `443`, `8000-8100`, `10.6.7.0/24`. */
function rangeOf(left: Operand, value: Token): Range {
  const [first, last, ...rest] = value.text.split(/(?<=[\da-f])-(?=\d)/i);
  if (left.kind !== "number" || last === undefined || rest.length > 0 || value.kind !== "word") {
    return parsedValue(left, value);
  }
  const part = (text = ""): Raw => parsedValue(left, { ...value, text }).low;
  const [low, high] = [part(first), part(last)];
  if (low > high) {
    throw new FilterError("This range ends before it begins.", value.start, value.end);
  }
  return { low, high };
}

function parsedValue(left: Operand, value: Token): Range {
  const { text } = value;
  const one = (low: Raw): Range => ({ low, high: low });
  switch (left.kind) {
    case "number":
      return one(parseNumber(left, value));
    case "boolean": {
      const known =
        /^(?:1|true|set)$/i.test(text) || (/^(?:0|false|not set)$/i.test(text) ? 0 : -1);
      if (known !== -1) return one(Number(known));
      throw new FilterError(
        `${left.name} is true or false: use it alone, or compare it with 1 or 0.`,
        value.start,
        value.end,
      );
    }
    case "ipv4":
    case "ipv6":
      return parseRange(left, value);
    case "text":
      return one(text);
    case "bytes":
      return one(literalBytes(value));
    case "seconds": {
      const [, sign, whole = "", part = ""] = /^(-?)(\d+)(?:\.(\d{0,9})\d*)?$/.exec(text) ?? [];
      if (sign === undefined) {
        throw new FilterError(`"${text}" is not a number of seconds.`, value.start, value.end);
      }
      if (!left.name.startsWith("frame.")) return one(Number(text));
      const ns = BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, "0"));
      return one(sign ? -ns : ns);
    }
    case "date":
      return one(parsedDate(value));
    default:
      throw new FilterError(
        left.kind === "protocol"
          ? `${left.name} is a protocol: use it alone, or a field of it${example(left.name)}.`
          : `${left.name} has no value: use it alone.`,
        value.start,
        value.end,
      );
  }
}

function example(protocol: string): string {
  return protocol === "tcp" || protocol === "udp" ? `, e.g. ${protocol}.port == 443` : "";
}

function parseNumber({ name, most, named }: Operand, value: Token): number {
  const { text, kind, start, end } = value;
  const isPort = /port$/.test(name);
  if (kind === "char" && text.length === 1) return text.charCodeAt(0);
  if (isPort) {
    const port = PORTS.get(text.toLowerCase());
    if (port !== undefined) return port;
  }
  if (!NUMBER.test(text) || kind === "string") {
    const known = isPort ? " Examples: 443, 8000-8100, https." : "";
    const what = isPort ? "port" : named ? "number or name of a value" : "number";
    throw new FilterError(`"${text}" is not a ${what}.${known}`, start, end);
  }
  const digits = text.replace(/^[+-]/, "");
  // A leading zero says octal, as in C and in Wireshark.
  const octal = /^0\d+$/.test(digits);
  if (octal && /[89]/.test(digits)) {
    throw new FilterError("A number that begins with 0 is octal; leave the 0 out.", start, end);
  }
  const size = octal ? Number.parseInt(digits, 8) : Number(digits);
  const number = text.startsWith("-") ? -size : size;
  const signed = most === 2 ** 31 - 1;
  if (number > most || (number < 0 && !signed && most < Number.POSITIVE_INFINITY)) {
    throw new FilterError(`${isPort ? "A port" : name} must be between 0 and ${most}.`, start, end);
  }
  return number;
}

function parseRange({ kind, name }: Operand, value: Token): Range {
  const prefix = value.kind === "char" ? null : parsePrefix(value.text);
  const size = kind === "ipv4" ? 4 : 16;
  if (prefix === null) {
    const examples = kind === "ipv4" ? "10.6.7.7, 10.6.7.0/24" : "fd06::1, fd06::/16";
    throw new FilterError(
      `"${value.text}" is not an address. Examples: ${examples}.`,
      value.start,
      value.end,
    );
  }
  if (prefix.address.length !== size) {
    const other = name.replace(/^ip(v6)?/, (_, six) => (six ? "ip" : "ipv6"));
    throw new FilterError(
      `${name} is an IPv${size === 4 ? "4" : "6"} field. Write ${other} == ${value.text}, or host ${value.text}.`,
      value.start,
      value.end,
    );
  }
  const low = prefix.address.map((byte, at) => byte & (0xff00 >> clamp(prefix.length - 8 * at)));
  const high = low.map((byte, at) => byte | (0xff >> clamp(prefix.length - 8 * at)));
  if (kind === "ipv6") return { low, high };
  const number = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return { low: number(low), high: number(high) };
}

function clamp(bits: number): number {
  return Math.min(8, Math.max(0, bits));
}

function parsedDate({ text, start, end }: Token): bigint {
  const moment = momentOf(text);
  if (moment !== undefined) return moment;
  throw new FilterError(`"${text}" is not a time. Example: "2026-03-14 09:26:53".`, start, end);
}

function familyOf(kind: Kind): string {
  return { boolean: "number", protocol: "bytes" }[kind as string] ?? kind;
}

function whatIs({ kind }: Operand): string {
  const said: Partial<Record<Kind, string>> = {
    number: "a number",
    boolean: "true or false",
    ipv4: "an address",
    ipv6: "an address",
    seconds: "a time",
    date: "a time",
  };
  return said[kind] ?? "without a value";
}

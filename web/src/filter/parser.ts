/**
 * The display filter: words, comparisons and logic to one test of a packet's bytes.
 *
 *     tcp and port 443          ip.src == 10.6.7.0/24      not icmp
 *     tcp.flags.syn             len > 500                  "text in the packet or its line"
 *     dns.qry.name contains "example"                      port in {80, 443, 8000-8100}
 */

import { findText } from "../packet/bytes";
import {
  compareAddresses,
  compareDecoded,
  compareNumbers,
  decoded,
  forgetDecoded,
  hasDecoded,
  type Operator,
} from "./comparison";
import { canonicalName, FIELDS, type FilterField, fieldOf, type Test } from "./fields";
import { FilterError, type Token, tokenize } from "./lexer";
import type { Subject } from "./subject";

/** Other spellings of the operators. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  "==": "==",
  "=": "==",
  eq: "==",
  is: "==",
  "!=": "!=",
  ne: "!=",
  "<": "<",
  lt: "<",
  "<=": "<=",
  le: "<=",
  ">": ">",
  gt: ">",
  ">=": ">=",
  ge: ">=",
  contains: "contains",
};
const AND = new Set(["and", "&&"]);
const OR = new Set(["or", "||"]);
const NOT = new Set(["not", "!"]);
/** Fields that take their value without an operator, as in tcpdump. */
const BARE_VALUE = new Set(["port", "host", "net", "src", "dst", "proto"]);

export interface Filter {
  test(subject: Subject): boolean;
}

/** Return the filter, null for an empty one, which everything passes. Throws FilterError. */
export function compileFilter(text: string): Filter | null {
  forgetDecoded();
  const tokens = tokenize(text);
  if (tokens.length === 0) return null;
  const parser = new Parser(tokens, text.length);
  const test = parser.alternatives();
  parser.expectEnd();
  return { test: (subject) => test(subject.headers) };
}

class Parser {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly length: number,
  ) {}

  alternatives(): Test {
    let test = this.conjunction();
    while (this.takeWord(OR)) {
      const [left, right] = [test, this.conjunction()];
      test = (h) => left(h) || right(h);
    }
    return test;
  }

  expectEnd(): void {
    const token = this.peek();
    if (token === undefined) return;
    const message =
      token.text === ")"
        ? "This bracket was never opened."
        : `"${token.text}" is not expected here.`;
    throw new FilterError(message, token.start, token.end);
  }

  private conjunction(): Test {
    let test = this.negation();
    for (;;) {
      const explicit = this.takeWord(AND);
      // Terms that stand side by side must all hold.
      if (!explicit && !this.startsTerm()) return test;
      const [left, right] = [test, this.negation()];
      test = (h) => left(h) && right(h);
    }
  }

  private negation(): Test {
    if (!this.takeWord(NOT)) return this.term();
    const test = this.negation();
    return (h) => !test(h);
  }

  private term(): Test {
    const token = this.next("a protocol, a field or text");
    if (token.kind === "string") return freeText(token.text);
    if (token.text === "(") {
      const test = this.alternatives();
      const close = this.peek();
      if (close?.text !== ")") {
        throw new FilterError("The closing bracket is missing.", token.start, token.end);
      }
      this.at++;
      return test;
    }
    if (token.kind === "sign" || AND.has(token.text) || OR.has(token.text)) {
      throw new FilterError(
        `A protocol, a field or text should stand before "${token.text}".`,
        token.start,
        token.end,
      );
    }
    return this.word(token);
  }

  private word(token: Token): Test {
    let name = token.text.toLowerCase();
    if ((name === "src" || name === "dst") && this.peekIs("port", "host", "net")) {
      const kind = this.next("").text.toLowerCase();
      if (kind === "port") return this.ports(name);
      name = name === "src" ? "ip.src" : "ip.dst";
      return this.comparison(name, FIELDS[name] as FilterField, "==");
    }
    const field = fieldOf(name);
    if (field === undefined) {
      this.refuseUnknownField(token);
      return freeText(token.text);
    }
    const operator = this.operator();
    if (operator !== null) return this.comparison(canonicalName(name), field, operator);
    if (this.peekIs("in")) return this.membership(canonicalName(name), field);
    if (BARE_VALUE.has(name) && this.peek() !== undefined) {
      return this.comparison(canonicalName(name), field, "==");
    }
    return presence(canonicalName(name), field, token);
  }

  private ports(end: "src" | "dst"): Test {
    const value = this.value("==");
    return compareNumbers(
      [end === "src" ? (h) => h.sourcePort : (h) => h.destinationPort],
      "==",
      value,
      true,
    );
  }

  private comparison(name: string, field: FilterField, operator: Operator): Test {
    return compare(name, field, operator, this.value(operator));
  }

  private membership(name: string, field: FilterField): Test {
    const word = this.next("");
    const open = this.next('"{" and values');
    if (open.text !== "{") {
      throw new FilterError("Values stand in curly brackets: in {80, 443}.", word.start, open.end);
    }
    const tests: Test[] = [];
    for (;;) {
      const token = this.next('"}"');
      if (token.text === "}" && tests.length > 0) break;
      if (token.text === "," && tests.length > 0) continue;
      if (token.kind === "sign") {
        throw new FilterError("A value should stand here.", token.start, token.end);
      }
      tests.push(compare(name, field, "==", token));
    }
    return (h) => tests.some((test) => test(h));
  }

  private operator(): Operator | null {
    const token = this.peek();
    if (token === undefined || token.kind === "string") return null;
    const key = token.text.toLowerCase();
    if (!Object.hasOwn(OPERATORS, key)) return null;
    this.at++;
    return OPERATORS[key] ?? null;
  }

  private value(operator: string): Token {
    const token = this.next(`a value after ${operator}`);
    if (token.kind === "sign") {
      throw new FilterError("A value should stand here.", token.start, token.end);
    }
    return token;
  }

  private refuseUnknownField(token: Token): void {
    const family = token.text.toLowerCase().split(".")[0] ?? "";
    const following = this.peek();
    const compared =
      following !== undefined &&
      following.kind === "sign" &&
      Object.hasOwn(OPERATORS, following.text);
    const looksLikeField = token.text.includes(".") && FAMILIES.has(family);
    if (!compared && !looksLikeField) return;
    const near = nearest(token.text.toLowerCase());
    throw new FilterError(
      `There is no field "${token.text}"${near ? `; did you mean ${near}?` : "."}`,
      token.start,
      token.end,
    );
  }

  private startsTerm(): boolean {
    const token = this.peek();
    if (token === undefined) return false;
    if (token.kind === "sign") return token.text === "(" || token.text === "!";
    return token.kind === "string" || !OR.has(token.text.toLowerCase());
  }

  private takeWord(words: ReadonlySet<string>): boolean {
    const token = this.peek();
    if (token === undefined || token.kind === "string" || !words.has(token.text.toLowerCase()))
      return false;
    this.at++;
    return true;
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private peekIs(...words: string[]): boolean {
    const token = this.peek();
    return token?.kind === "word" && words.includes(token.text.toLowerCase());
  }

  private next(expected: string): Token {
    const token = this.tokens[this.at++];
    if (token !== undefined) return token;
    throw new FilterError(
      `The filter ends where ${expected} should stand.`,
      this.length,
      this.length,
    );
  }
}

const FAMILIES = new Set(Object.keys(FIELDS).map((name) => name.split(".")[0] ?? ""));

function compare(name: string, field: FilterField, operator: Operator, value: Token): Test {
  switch (field.kind) {
    case "number":
    case "port":
      return compareNumbers(field.read, operator, value, field.kind === "port");
    case "address":
      return compareAddresses(field, operator, value);
    case "decoded":
      return compareDecoded(name, operator, value);
    case "flag": {
      const { test } = field;
      const wanted = /^(1|true)$/i.test(value.text);
      if (
        (!wanted && !/^(0|false)$/i.test(value.text)) ||
        (operator !== "==" && operator !== "!=")
      ) {
        throw new FilterError(
          `${name} is true or false: use it alone, or compare it with 1 or 0.`,
          value.start,
          value.end,
        );
      }
      return wanted === (operator === "==") ? test : (h) => !test(h);
    }
  }
}

function presence(name: string, field: FilterField, token: Token): Test {
  switch (field.kind) {
    case "flag":
      return field.test;
    case "decoded":
      return hasDecoded(name);
    case "address":
      if (field.version === 0) {
        throw new FilterError(
          `An address should follow, as in ${name} == 10.6.7.0/24.`,
          token.start,
          token.end,
        );
      }
      return (h) => h.version === field.version;
    default:
      return (h) => field.read.some((read) => read(h) >= 0);
  }
}

/** Look in the bytes first, which is quick, then in what the table says of the packet. */
function freeText(text: string): Test {
  const wanted = text.toLowerCase();
  const needle = new TextEncoder().encode(wanted);
  return (h) => {
    if (needle.length > 0 && findText(h.bytes, h.start, h.end, needle) >= 0) return true;
    const { source, destination, protocol, info } = decoded(h);
    return `${source} ${destination} ${protocol} ${info}`.toLowerCase().includes(wanted);
  };
}

/** Return the known name that differs least, null when none is near. */
function nearest(name: string): string | null {
  let best: string | null = null;
  let least = 4;
  for (const known of Object.keys(FIELDS)) {
    const distance = known.startsWith(name) ? 1 : editDistance(name, known);
    if (distance < least) [best, least] = [known, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}

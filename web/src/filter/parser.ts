/**
 * The display filter: Wireshark's language, and a few words of our own.
 *
 *     tcp and port 443                  ip.src == 10.6.7.0/24         not icmp
 *     tcp.flags.syn == 1                len > 500                     "text in the packet or its line"
 *     http.host matches "^(www|m)\\."   port in {80, 443, 8000..8100} tcp[13] & 2
 */

import { parsePrefix } from "../packet/address";
import { ARITHMETIC, calculate, call, constant, FUNCTIONS, slice } from "./calculation";
import { every, freeText, odd, some } from "./combination";
import {
  compareOperands,
  compareSet,
  compareValue,
  literalBytes,
  numberOf,
  type Operator,
  type Quantifier,
} from "./comparison";
import { FIELDS, type FilterField, fieldOf } from "./fields";
import { FilterError, type Token, tokenize } from "./lexer";
import { existence, type Node, type Operand, operandOf } from "./reading";
import type { Subject } from "./subject";
import { unknownWord } from "./unknown";

export interface Filter {
  test(subject: Subject): boolean;
}

/** Other spellings of the operators. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  "==": "==",
  "=": "==",
  eq: "==",
  any_eq: "==",
  "!=": "!=",
  ne: "!=",
  all_ne: "!=",
  "===": "===",
  all_eq: "===",
  "!==": "!==",
  "~=": "!==",
  any_ne: "!==",
  "<": "<",
  lt: "<",
  "<=": "<=",
  le: "<=",
  ">": ">",
  gt: ">",
  ">=": ">=",
  ge: ">=",
  contains: "contains",
  matches: "matches",
  "~": "matches",
};
const AND = ["and", "&&"];
const XOR = ["xor", "^^"];
const OR = ["or", "||"];
const NOT = ["not", "!"];
export const LOGIC = [...AND, ...XOR, ...OR, ...NOT];
/** Words of our own that take their value without an operator, as in tcpdump. */
export const BARE = ["port", "host", "net", "src", "dst", "proto", "addr"];
/** Brackets and signs of negation inside each other. */
const MAX_DEPTH = 100;
const MAX_LENGTH = 10_000;
/** Places of a filter that an offer mends. */
const MAX_MENDED = 8;

/** Return the filter, null for an empty one, which everything passes. Throws FilterError. */
export function compileFilter(text: string): Filter | null {
  if (text.length > MAX_LENGTH) {
    throw new FilterError(
      `A filter has at most ${MAX_LENGTH} characters.`,
      MAX_LENGTH,
      text.length,
    );
  }
  const tokens = tokenize(text);
  if (tokens.length === 0) return null;
  const { test } = new Parser(tokens, text, MAX_MENDED).whole();
  return { test };
}

/** Return a filter that is understood, or what is offered for it, with at most so many mends. */
function mended(text: string, mends: number): string | undefined {
  try {
    new Parser(tokenize(text), text, mends).whole();
    return text;
  } catch (error) {
    return error instanceof FilterError ? error.offer : undefined;
  }
}

/** A value that has no type until it is known what it goes with. */
interface Literal {
  readonly literal: Token;
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly text: string,
    /** In how many places an offer may differ; with 0 there is none. */
    private readonly mends: number,
  ) {}

  whole(): Node {
    const node = this.alternatives();
    const token = this.peek();
    if (token === undefined) return node;
    if (token.text === ")" && token.kind === "sign") {
      throw this.error("This bracket was never opened.", token);
    }
    const quoted = this.quoted(token);
    const isTerm = token.kind === "word" || token.kind === "string" || token.text === "(";
    if (!isTerm) throw this.error(`${quoted} is not expected here.`, token);
    const joined = (by: string) =>
      `${this.text.slice(0, token.start).trimEnd()} ${by} ${this.text.slice(token.start)}`;
    const before = this.tokens[this.at - 1];
    const field = before?.kind === "word" ? fieldOf(before.text) : undefined;
    if (field !== undefined && field.kind !== "protocol" && fieldOf(token.text) === undefined) {
      const what = `An operator such as == is missing before ${quoted}.`;
      throw this.error(what, token, this.mended(joined("==")));
    }
    const what = `"and" or "or" is missing before ${quoted}.`;
    throw this.error(what, token, this.mended(joined("and")));
  }

  private mended(offer: string): string | undefined {
    return this.mends > 0 ? mended(offer, this.mends - 1) : undefined;
  }

  private alternatives(): Node {
    return this.chain(
      OR,
      () => this.chain(XOR, () => this.chain(AND, () => this.negation(), every), odd),
      some,
    );
  }

  private chain(
    words: readonly string[],
    next: () => Node,
    join: (nodes: readonly Node[]) => Node,
  ): Node {
    const nodes = [next()];
    while (this.take(words)) nodes.push(next());
    return nodes.length === 1 && nodes[0] ? nodes[0] : join(nodes);
  }

  private negation(): Node {
    const sign = this.peek();
    if (!this.take(NOT)) return this.relation();
    if (++this.depth > MAX_DEPTH && sign) throw this.error("This is nested too deeply.", sign);
    const { cost, test } = this.negation();
    this.depth--;
    return { cost, test: (subject) => !test(subject) };
  }

  private relation(): Node {
    const token = this.next("a protocol, a field or text");
    if (token.kind === "string" && !this.isOperator()) return freeText(token.text);
    this.at--;
    if (this.isSign("(")) {
      const node = this.group();
      if (node !== null) return node;
    }
    if (this.isSign() && !["{", "(", "-"].includes(token.text)) {
      throw this.error(
        `A protocol, a field or text is missing before ${this.quoted(token)}.`,
        token,
      );
    }
    if (token.kind === "word" && [...LOGIC, "in"].includes(token.text.toLowerCase())) {
      throw this.error(
        `A protocol, a field or text is missing before ${this.quoted(token)}.`,
        token,
      );
    }
    const own = this.own(token);
    if (own !== null) return own;
    const word = token.text.toLowerCase();
    const follows = this.tokens[this.at + 1];
    let quantifier: Quantifier;
    if (token.kind === "word" && (word === "any" || word === "all") && follows?.kind === "word") {
      quantifier = word;
      this.at++;
    }
    const start = this.at;
    const left = this.sum(0);
    const operator = this.operator();
    if (operator !== null) return this.comparison(left, operator, quantifier);
    const negative = this.isWord("not") && this.tokens[this.at + 1]?.text.toLowerCase() === "in";
    if (negative) this.at++;
    if (this.isWord("in")) {
      const node = this.membership(this.needField(left), quantifier);
      return negative ? { cost: node.cost, test: (subject) => !node.test(subject) } : node;
    }
    return this.alone(left, this.tokens.slice(start, this.at), quantifier);
  }

  /** Take logic in brackets; null for brackets around something that is compared or calculated. */
  private group(): Node | null {
    const start = this.at;
    const open = this.next("");
    if (++this.depth > MAX_DEPTH) throw this.error("This is nested too deeply.", open);
    let node: Node;
    try {
      node = this.alternatives();
      if (!this.isSign(")")) {
        const token = this.peek();
        if (token !== undefined && token.kind !== "sign") this.whole();
        throw this.error("The closing bracket is missing.", open);
      }
    } finally {
      this.depth--;
    }
    this.at++;
    const after = this.peek();
    const goesOn = after?.kind === "sign" && (this.isOperator() || /^[-+*/%&]$/.test(after.text));
    if (!goesOn) return node;
    this.at = start;
    return null;
  }

  /** Understand a field or a calculation that stands alone. */
  private alone(left: Operand | Literal, tokens: readonly Token[], quantifier: Quantifier): Node {
    const [first, second] = tokens;
    const field = first?.kind === "word" ? fieldOf(first.text) : undefined;
    const layer = second?.kind === "layer" ? Number(second.text) : 0;
    if (quantifier !== undefined && first) {
      throw this.error(`A comparison should follow ${quantifier}.`, first);
    }
    if (field !== undefined && first && tokens.length === (layer ? 2 : 1)) {
      if (BARE.includes(first.text.toLowerCase())) {
        const example = field.name === "port" ? 443 : 6;
        throw this.error(`A number should follow, as in ${first.text} ${example}.`, first);
      }
      return existence(field, layer);
    }
    const operand = this.needField(left);
    const last = tokens.at(-1);
    if (
      first &&
      last &&
      operand.kind !== "bytes" &&
      !tokens.some(({ text }) => /^[-+*/%&]$/.test(text))
    ) {
      throw new FilterError(
        `Compare ${operand.name} with something, as in ${operand.name} > 10.`,
        first.start,
        last.end,
      );
    }
    const calculated = tokens.some(({ kind, text }) => kind === "sign" && /^[-+*/%&]$/.test(text));
    const { cost } = operand;
    return {
      cost,
      test: (subject) =>
        operand.each(
          subject,
          (raw) =>
            !calculated ||
            (typeof raw === "object" ? raw.some((byte) => byte !== 0) : Number(raw) !== 0),
        ),
    };
  }

  private comparison(left: Operand | Literal, operator: Operator, quantifier: Quantifier): Node {
    const sign = this.tokens[this.at - 1] as Token;
    const value = this.peek();
    if (value === undefined) this.next(`a value after ${sign.text}`);
    if ("literal" in left) {
      const { kind, text } = left.literal;
      if (kind === "word" && /^[a-z_]/i.test(text)) throw this.unknown(left.literal);
      throw this.error("The left side should be a field.", left.literal);
    }
    const right = this.sum(0, left);
    if ("literal" in right) return this.withValue(left, operator, right.literal, quantifier);
    return compareOperands(left, operator, right, quantifier, sign);
  }

  /** Compare with a value; where it cannot be read, it may be text that lacks its quotes. */
  private withValue(left: Operand, operator: Operator, value: Token, how: Quantifier): Node {
    try {
      return compareValue(left, operator, value, how);
    } catch (error) {
      if (!(error instanceof FilterError) || value.kind !== "word") throw error;
      const [before, after] = [this.text.slice(0, value.start), this.text.slice(value.end)];
      const offer = this.mended(`${before}"${value.text}"${after}`);
      throw new FilterError(error.message, error.start, error.end, offer);
    }
  }

  private membership(left: Operand, quantifier: Quantifier): Node {
    const word = this.next("");
    const open = this.next('"{" and values');
    if (open.text !== "{") {
      throw new FilterError(
        "Put the values in curly brackets: in {80, 443}.",
        word.start,
        open.end,
      );
    }
    const members: [Token, Token | undefined][] = [];
    for (;;) {
      const token = this.next('"}"');
      if (token.text === "}" && token.kind === "sign" && members.length > 0) break;
      if (token.text === "," && token.kind === "sign" && members.length > 0) continue;
      if (token.kind === "sign") throw this.error("A value is missing here.", token);
      if (!this.isSign("..")) members.push([token, undefined]);
      else {
        this.at++;
        members.push([token, this.next("the end of the range")]);
      }
    }
    return compareSet(left, members, quantifier);
  }

  /** Calculate; `beside` is what a value would be compared with. */
  private sum(level: number, beside?: Operand): Operand | Literal {
    const signs = ARITHMETIC[level];
    if (signs === undefined) return this.primary(beside);
    let left = this.sum(level + 1, beside);
    for (;;) {
      const sign = this.peek();
      const pair = sign?.kind === "sign" ? signs[sign.text] : undefined;
      if (sign === undefined || pair === undefined) return left;
      this.at++;
      const right = this.sum(level + 1, beside);
      const one = "literal" in left ? this.typed(left.literal, right, beside) : left;
      left = calculate(
        one,
        sign,
        "literal" in right ? this.typed(right.literal, one) : right,
        pair,
      );
    }
  }

  /** Return a value as an operand of the kind of another one. */
  private typed(literal: Token, other: Operand | Literal, beside?: Operand): Operand {
    const like = "literal" in other ? beside : other;
    if (like?.kind === "bytes") return constant("bytes", literalBytes(literal), literal.text);
    if (like === undefined || (literal.kind === "word" && !/^[-+\d]/.test(literal.text))) {
      throw this.notField(literal);
    }
    const wide = { ...like, most: Number.POSITIVE_INFINITY, named: false };
    if (like.kind === "boolean")
      return constant("number", numberOf({ ...wide, kind: "number" }, literal), literal.text);
    return constant(like.kind, numberOf(wide, literal), literal.text);
  }

  private primary(beside?: Operand): Operand | Literal {
    const token = this.next("a value or a field");
    if (token.kind === "sign") {
      if (token.text === "-") {
        const of = this.needField(this.primary(beside));
        return calculate(constant("number", 0, ""), token, of, (a, b) => a - b);
      }
      const close = { "{": "}", "(": ")" }[token.text];
      if (close === undefined) throw this.error("A value is missing here.", token);
      if (++this.depth > MAX_DEPTH) throw this.error("This is nested too deeply.", token);
      const inner = this.sum(0, beside);
      this.depth--;
      if (!this.isSign(close)) throw this.error("The closing bracket is missing.", token);
      this.at++;
      return inner;
    }
    if (token.kind !== "word") return { literal: token };
    const name = token.text.toLowerCase();
    if (this.isSign("(") && Object.hasOwn(FUNCTIONS, name)) return this.suffixed(this.call(token));
    const field = fieldOf(name);
    // What could be a value is one: a host of that name, or a word to compare with.
    if (field === undefined || (beside !== undefined && isOwnValue(beside, token))) {
      const isValue = beside === undefined ? /^[-+\d]/.test(name) : !looksLikeField(beside, name);
      if (!isValue) throw this.unknown(token);
      return { literal: token };
    }
    if (BARE.includes(name) && name !== "port" && name !== "proto") throw this.unfit(token);
    const layer = this.peek();
    if (layer?.kind !== "layer") return this.suffixed(operandOf(field));
    this.at++;
    if (layer.text === "0") throw this.error("Layers count from 1.", layer);
    return this.suffixed(operandOf(field, Number(layer.text)));
  }

  private suffixed(operand: Operand): Operand {
    const token = this.peek();
    if (token?.kind !== "slice") return operand;
    this.at++;
    return slice(operand, token);
  }

  private call(token: Token): Operand {
    this.at++;
    const args: Operand[] = [];
    while (!this.isSign(")")) {
      if (args.length > 0 && !this.take([","])) {
        const wrong = this.next('")"');
        throw this.error("A comma or the closing bracket is missing here.", wrong);
      }
      args.push(this.needField(this.sum(0)));
    }
    this.at++;
    return call(token, args);
  }

  /** Understand the words of our own that are no fields; null for anything else. */
  private own(token: Token): Node | null {
    if (token.kind !== "word") return null;
    const word = token.text.toLowerCase();
    const second = this.tokens[this.at + 1];
    const following = second?.text.toLowerCase() ?? "";
    if ((word === "from" || word === "to") && following === "host") {
      this.at += 2;
      return existence(FIELDS.get(word === "from" ? "received" : "injected") as FilterField, 0);
    }
    if (!BARE.includes(word)) return null;
    this.at++;
    let end = word === "src" || word === "dst" ? word : "";
    let what = word;
    if (end && second?.kind === "word" && ["port", "host", "net"].includes(following)) {
      what = following;
      this.at++;
    } else if (end) what = "host";
    if (second === undefined) {
      this.at--;
      return null;
    }
    const isPort = what === "port";
    if (!isPort && what !== "proto") return this.addresses(end, token);
    end = end && `${end}.`;
    const field = FIELDS.get(`${end}${what}`) as FilterField;
    const operand: Operand = { ...operandOf(field), name: what };
    if (this.isOperator()) {
      const operator = this.operator() as Operator;
      return this.comparison(operand, operator, undefined);
    }
    if (this.isWord("in")) return this.membership(operand, undefined);
    if (this.peek()?.kind !== "word") {
      this.at = this.tokens.indexOf(token);
      return null;
    }
    return compareValue(operand, "==", this.next(`a value after ${what}`), undefined);
  }

  /** Compare addresses of either family. */
  private addresses(end: string, word: Token): Node {
    const operator = this.isOperator() ? this.operator() : "==";
    const suffix = end || "addr";
    const of = (value: Token): Operand => {
      const six =
        (parsePrefix(value.text)?.address.length ?? (value.text.includes(":") ? 16 : 4)) > 4;
      const field = FIELDS.get(`${six ? "ipv6" : "ip"}.${suffix}`) as FilterField;
      return { ...operandOf(field), name: word.text };
    };
    if (this.isWord("in")) {
      const start = this.at;
      // The values decide which field they are compared with.
      const members: Node[] = [];
      this.at += 2;
      while (this.peek() !== undefined && !this.isSign("}")) {
        const token = this.next("");
        if (token.text === "," && token.kind === "sign") continue;
        if (token.kind === "sign") throw this.error("An address is missing here.", token);
        const high = this.isSign("..") && this.at++ ? this.next("the end of the range") : undefined;
        members.push(compareSet(of(token), [[token, high]], undefined));
      }
      if (this.tokens[start + 1]?.text !== "{" || members.length === 0 || !this.isSign("}")) {
        this.at = start;
        return this.membership(of(word), undefined);
      }
      this.at++;
      return some(members);
    }
    const value = this.next(`an address after ${word.text}`);
    if (value.kind === "sign") throw this.error("An address is missing here.", value);
    if (operator !== "==" && operator !== "!=") {
      throw this.error(`${operator} cannot be used with ${word.text}.`, word);
    }
    const equal = compareValue(of(value), "==", value, undefined);
    if (operator === "==") return equal;
    return {
      cost: equal.cost,
      test: (subject) => subject.headers.version !== 0 && !equal.test(subject),
    };
  }

  private needField(operand: Operand | Literal): Operand {
    if ("literal" in operand) throw this.notField(operand.literal);
    return operand;
  }

  private notField(token: Token): FilterError {
    if (token.kind === "word" && fieldOf(token.text) === undefined) return this.unknown(token);
    return this.error("The left side should be a field.", token);
  }

  private unfit(token: Token): FilterError {
    return this.error(`An address should follow, as in ${token.text} 10.6.7.0/24.`, token);
  }

  private unknown(token: Token): FilterError {
    if (this.mends === 0) return this.error("", token);
    const place = {
      filter: this.text,
      isCompared: this.isOperator(),
      repeated: this.comparisonBefore(token),
    };
    return unknownWord(token, place, (offer) => this.mended(offer));
  }

  /** Return the field and the operator of the comparison that "and" or "or" joins to a word. */
  private comparisonBefore(token: Token): string {
    const before = this.tokens.slice(0, this.tokens.indexOf(token));
    const text = (back: number): string => before.at(-back)?.text.toLowerCase() ?? "";
    while (NOT.includes(text(1))) before.pop();
    const [field, , value] = before.slice(-4);
    const isJoined = [...AND, ...OR].includes(text(1)) && Object.hasOwn(OPERATORS, text(3));
    if (!isJoined || field?.kind !== "word" || value === undefined) return "";
    return this.text.slice(field.start, value.start);
  }

  private operator(): Operator | null {
    if (!this.isOperator()) return null;
    return OPERATORS[this.tokens[this.at++]?.text.toLowerCase() ?? ""] ?? null;
  }

  private isOperator(): boolean {
    const token = this.peek();
    if (token === undefined || (token.kind !== "sign" && token.kind !== "word")) return false;
    return Object.hasOwn(OPERATORS, token.text.toLowerCase());
  }

  private take(words: readonly string[]): boolean {
    const token = this.peek();
    const known = token?.kind === "sign" || token?.kind === "word";
    if (token === undefined || !known || !words.includes(token.text.toLowerCase())) return false;
    this.at++;
    return true;
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private isWord(word: string): boolean {
    const token = this.peek();
    return token?.kind === "word" && token.text.toLowerCase() === word;
  }

  private isSign(sign?: string): boolean {
    const token = this.peek();
    return token?.kind === "sign" && (sign === undefined || token.text === sign);
  }

  private quoted(token: Token): string {
    return token.kind === "string" ? this.text.slice(token.start, token.end) : `"${token.text}"`;
  }

  private error(message: string, { start, end }: Token, offer?: string): FilterError {
    return new FilterError(message, start, end, offer);
  }

  private next(expected: string): Token {
    const token = this.tokens[this.at++];
    if (token !== undefined) return token;
    const { length } = this.text;
    throw new FilterError(`The filter is not finished: ${expected} is missing.`, length, length);
  }
}

/** Whether a word beside a text or a named number is a value although a field has that name. */
function isOwnValue(beside: Operand, { text }: Token): boolean {
  return (
    (beside.kind === "text" || beside.named || /port$/.test(beside.name)) && !text.includes(".")
  );
}

/** Whether a word on the right side was meant as a field: `tcp.foo`, but not `www.example.com`. */
function looksLikeField({ kind }: Operand, name: string): boolean {
  const [family = "", ...rest] = name.split(".");
  if (rest.length === 0 || FIELDS.get(family)?.kind !== "protocol") return false;
  return kind !== "text" || !/\.[a-z]{2,3}$/.test(name);
}

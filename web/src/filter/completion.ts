/** What could stand at the caret of a filter. */

import { ALIASES, canonicalName, FIELDS, fieldOf } from "./fields";
import { type Token, tokenize } from "./lexer";
import { OPERATORS } from "./parser";

export interface Suggestion {
  /** What to write in place of the text from `start` to the caret. */
  readonly text: string;
  readonly about: string;
}

export interface Completion {
  readonly start: number;
  readonly suggestions: readonly Suggestion[];
}

const MOST = 12;
const LOGIC: readonly Suggestion[] = [
  { text: "and", about: "both must hold" },
  { text: "or", about: "one must hold" },
];
const COMPARISONS: readonly Suggestion[] = [
  { text: "==", about: "equal" },
  { text: "!=", about: "not equal" },
  { text: "<", about: "less" },
  { text: ">", about: "greater" },
  { text: "in {", about: "one of several values" },
  { text: "contains", about: "text within" },
];
const FITTING: Readonly<Record<string, readonly string[]>> = {
  number: ["==", "!=", "<", ">", "in {"],
  port: ["==", "!=", "<", ">", "in {"],
  address: ["==", "!="],
  decoded: ["==", "!=", "contains"],
};
const STARTERS: readonly Suggestion[] = [
  { text: "not", about: "must not hold" },
  { text: "host", about: "address of either end" },
  { text: "src", about: "source address, or src port" },
  { text: "dst", about: "destination address, or dst port" },
  ...Object.entries(FIELDS).map(([text, field]) => ({ text, about: field.about })),
];
const VALUES: Readonly<Record<string, readonly Suggestion[]>> = {
  port: ["53", "80", "123", "443", "5353"].map((text, i) => ({
    text,
    about: ["DNS", "HTTP", "NTP", "HTTPS, QUIC", "mDNS"][i] ?? "",
  })),
  proto: [
    { text: "1", about: "ICMP" },
    { text: "6", about: "TCP" },
    { text: "17", about: "UDP" },
    { text: "58", about: "ICMPv6" },
  ],
  "icmp.type": [
    { text: "0", about: "echo reply" },
    { text: "3", about: "destination unreachable" },
    { text: "8", about: "echo request" },
    { text: "11", about: "time exceeded" },
  ],
  "icmpv6.type": [
    { text: "128", about: "echo request" },
    { text: "129", about: "echo reply" },
    { text: "135", about: "neighbour solicitation" },
    { text: "136", about: "neighbour advertisement" },
  ],
  "dns.qry.type": [
    { text: "1", about: "A" },
    { text: "12", about: "PTR" },
    { text: "28", about: "AAAA" },
  ],
};

/** Return what could stand at `caret`; `addresses` are ones the table has seen. */
export function complete(
  text: string,
  caret: number,
  addresses: readonly string[] = [],
): Completion {
  let tokens: Token[];
  try {
    tokens = tokenize(text.slice(0, caret));
  } catch {
    return { start: caret, suggestions: [] }; // inside quotes
  }
  const last = tokens.at(-1);
  const typing = last?.kind === "word" && last.end === caret ? last : undefined;
  const before = typing === undefined ? tokens : tokens.slice(0, -1);
  const start = typing?.start ?? caret;
  const typed = (typing?.text ?? "").toLowerCase();
  const suggestions = expected(before, addresses).filter(
    (one) => one.text.toLowerCase() !== typed && matches(one.text.toLowerCase(), typed),
  );
  // What begins so comes before what only contains it.
  const begins = (one: Suggestion): number => (one.text.toLowerCase().startsWith(typed) ? 0 : 1);
  return { start, suggestions: suggestions.sort((a, b) => begins(a) - begins(b)).slice(0, MOST) };
}

function matches(text: string, typed: string): boolean {
  return text.startsWith(typed) || (typed.length > 1 && text.includes(typed));
}

function expected(before: readonly Token[], addresses: readonly string[]): readonly Suggestion[] {
  const last = before.at(-1);
  const word = last?.text.toLowerCase() ?? "";
  if (last === undefined || ["and", "or", "not", "&&", "||", "!", "("].includes(word))
    return STARTERS;
  if (Object.hasOwn(OPERATORS, word) || word === "{" || word === ",") {
    return valuesOf(fieldBefore(before), addresses);
  }
  if (last.kind === "sign" || last.kind === "string") return LOGIC;
  const operated = before.at(-2)?.text.toLowerCase() ?? "";
  if (Object.hasOwn(OPERATORS, operated) || isBare(operated)) return LOGIC;
  if (word === "src" || word === "dst") {
    return [{ text: "port", about: "of this end" }, ...valuesOf("ip.addr", addresses)];
  }
  if (isBare(word)) return valuesOf(word, addresses);
  const field = fieldOf(word);
  const fitting = FITTING[field?.kind ?? ""] ?? [];
  return [...COMPARISONS.filter((one) => fitting.includes(one.text)), ...LOGIC];
}

function isBare(word: string): boolean {
  return word === "port" || word === "host" || word === "net";
}

function fieldBefore(tokens: readonly Token[]): string {
  for (const token of [...tokens].reverse()) {
    if (token.kind === "word" && fieldOf(token.text) !== undefined) return token.text.toLowerCase();
  }
  return "";
}

function valuesOf(name: string, addresses: readonly string[]): readonly Suggestion[] {
  const field = fieldOf(name);
  if (field?.kind === "address") return addresses.map((text) => ({ text, about: "seen" }));
  if (field?.kind === "port") return VALUES["port"] ?? [];
  return VALUES[canonicalName(ALIASES[name] ?? name)] ?? [];
}

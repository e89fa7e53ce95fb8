/** What could stand at the caret of a filter. */

import { FUNCTIONS } from "./calculation";
import { FIELDS, type FilterField, fieldOf } from "./fields";
import { type Token, tokenize } from "./lexer";
import { BARE, OPERATORS } from "./parser";

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

/** Read lines of a text and what is said of it. */
function lines(table: string): Suggestion[] {
  return table.split(";").map((line) => {
    const [text = "", about = ""] = line.split(/ (.*)/s);
    return { text, about };
  });
}

const LOGIC = lines("and both must hold;or one must hold;xor exactly one must hold");
const COMPARISONS = lines(
  "== equal;!= not equal;> greater;>= greater or equal;< less;<= less or equal;" +
    "in one of several values;contains text or bytes within;matches a regular expression;& bits that are set",
);
const FITTING: Readonly<Record<string, string>> = {
  number: "== != > >= < <= in &",
  boolean: "== !=",
  ipv4: "== != in",
  ipv6: "== != in",
  text: "== != contains matches in",
  bytes: "== != contains matches",
  protocol: "contains matches",
  seconds: "> >= < <= ==",
  date: "> >= < <=",
};
const BOOLEANS = lines("1 true;0 false");
const PORTS = lines("53 DNS;80 HTTP;123 NTP;443 HTTPS, QUIC;5353 mDNS");
const DNS_TYPES = lines("1 A;28 AAAA;5 CNAME;12 PTR;15 MX;16 TXT;33 SRV;65 HTTPS");
const STATUSES = lines('"Bad" wrong;"Good" right;"Unverified" cannot be said');
const VALUES: Readonly<Record<string, readonly Suggestion[]>> = {
  port: PORTS,
  proto: lines("1 ICMP;6 TCP;17 UDP;58 ICMPv6"),
  "ip.proto": lines("1 ICMP;2 IGMP;6 TCP;17 UDP;47 GRE"),
  "icmp.type": lines("0 echo reply;3 destination unreachable;8 echo request;11 time exceeded"),
  "icmpv6.type": lines(
    "128 echo request;129 echo reply;133 router solicitation;134 router advertisement;135 neighbor solicitation;136 neighbor advertisement",
  ),
  "dns.qry.type": DNS_TYPES,
  "dns.resp.type": DNS_TYPES,
  "dns.flags.rcode": lines("0 no error;2 server failure;3 no such name;5 refused"),
  "http.request.method": lines('"GET" ;"POST" ;"HEAD" ;"PUT" ;"DELETE" '),
  "http.response.code": lines("200 OK;301 moved;304 not modified;404 not found;500 server error"),
  "tls.handshake.type": lines("1 Client Hello;2 Server Hello;11 Certificate"),
  "tls.record.content_type": lines("20 change cipher spec;21 alert;22 handshake;23 data"),
};
const STARTERS: readonly Suggestion[] = [
  ...lines(
    "not must not hold;from host sent by this host;to host sent to this host;" +
      "any at least one value fits;all every value fits",
  ).map((one) =>
    one.text === "from" || one.text === "to"
      ? { text: `${one.text} host`, about: one.about.replace(/^host /, "") }
      : one,
  ),
  ...[...FIELDS.values()]
    .filter(({ name }) => !/^(?:src|dst)\.port$|^(?:received|injected)$/.test(name))
    .map(({ name: text, about }) => ({ text, about })),
  ...Object.entries(FUNCTIONS).map(([text, about]) => ({ text: `${text}(`, about })),
];

/** Return what could stand at `caret`; `addresses` are ones the table has seen. */
export function completionsAt(
  text: string,
  caret: number,
  addresses: readonly string[] = [],
): Completion {
  let tokens: Token[];
  try {
    tokens = tokenize(text.slice(0, caret));
  } catch {
    return { start: caret, suggestions: [] };
  }
  const last = tokens.at(-1);
  const typing = last?.kind === "word" && last.end === caret ? last : undefined;
  const before = typing === undefined ? tokens : tokens.slice(0, -1);
  const typed = (typing?.text ?? "").toLowerCase();
  const suggestions = expected(before, addresses).filter(
    (one) => one.text.toLowerCase() !== typed && fits(one.text.toLowerCase(), typed),
  );
  return {
    start: typing?.start ?? caret,
    suggestions: suggestions.sort((a, b) => rank(a, typed) - rank(b, typed)).slice(0, MOST),
  };
}

function fits(text: string, typed: string): boolean {
  return text.startsWith(typed) || (typed.length > 1 && text.includes(typed));
}

/** What people begin with, in this order, before anything is typed. */
const COMMON = "ip.addr ipv6.addr port host tcp udp dns http tls icmp not from".split(" ");

/** What begins so comes before what only contains it, and short names before their parts. */
function rank({ text }: Suggestion, typed: string): number {
  if (typed === "") {
    const place = COMMON.indexOf(text.split(" ")[0] ?? "");
    return place < 0 ? COMMON.length : place;
  }
  // tcp.port, which is both ports, is asked for more often than either.
  const both = (FIELDS.get(text)?.parts.length ?? 0) > 1 ? 0.5 : 0;
  return (text.toLowerCase().startsWith(typed) ? 0 : 10) + text.split(".").length - both;
}

function expected(before: readonly Token[], addresses: readonly string[]): readonly Suggestion[] {
  const last = before.at(-1);
  if (last === undefined) return STARTERS;
  const word = last.kind === "word" || last.kind === "sign" ? last.text.toLowerCase() : "";
  if (/^(?:and|or|xor|not|any|all|&&|\|\||\^\^|!|\()$/.test(word)) return STARTERS;
  if (word === "in") return [{ text: "{", about: "values with commas between, then }" }];
  if (Object.hasOwn(OPERATORS, word) || word === "{" || word === ",") {
    const field = fieldBefore(before);
    return field === undefined ? [] : valuesOf(field, addresses);
  }
  if (word === "from" || word === "to") return [{ text: "host", about: "by direction" }];
  if (last.kind === "sign" && word !== ")" && word !== "}") return [];
  if (last.kind === "string" || last.kind === "sign") return LOGIC;
  const operated = before.at(-2)?.text.toLowerCase() ?? "";
  const isValue = Object.hasOwn(OPERATORS, operated) || BARE.includes(operated);
  if (isValue && last.kind === "word" && word !== "port" && word !== "host") return LOGIC;
  if (word === "host" && (operated === "from" || operated === "to")) return LOGIC;
  if (word === "src" || word === "dst") {
    return [
      { text: "port", about: "of this end" },
      ...addresses.map((text) => ({ text, about: "seen" })),
    ];
  }
  const field = last.kind === "word" ? fieldOf(word) : fieldBefore(before);
  if (BARE.includes(word) && field !== undefined) return valuesOf(field, addresses);
  const kind = last.kind === "slice" ? "bytes" : (field?.kind ?? "");
  const fitting = (FITTING[kind] ?? "").split(" ");
  return [...COMPARISONS.filter(({ text }) => fitting.includes(text)), ...LOGIC];
}

function fieldBefore(tokens: readonly Token[]): FilterField | undefined {
  const found = tokens.findLast(({ kind, text }) => kind === "word" && fieldOf(text));
  return found && fieldOf(found.text);
}

function valuesOf(field: FilterField, addresses: readonly string[]): readonly Suggestion[] {
  const { kind, name } = field;
  if (kind === "ipv4" || kind === "ipv6" || name === "host") {
    const fit = addresses.filter(
      (text) => name === "host" || text.includes(":") === (kind === "ipv6"),
    );
    return fit.map((text) => ({ text, about: "seen" }));
  }
  if (/port$/.test(name)) return PORTS;
  if (name.endsWith(".checksum.status")) return STATUSES;
  return VALUES[name] ?? (kind === "boolean" ? BOOLEANS : []);
}

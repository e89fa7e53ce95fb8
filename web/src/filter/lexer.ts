/** The words and signs of a display filter, each with its place in the text. */

/** A slice is what stands in square brackets, a layer the number behind `#`. */
export type TokenKind = "word" | "string" | "char" | "sign" | "slice" | "layer";

export interface Token {
  readonly kind: TokenKind;
  /** The sign, the word, or what stands between the quotes or brackets. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A filter that cannot be understood: what is wrong, and where. */
export class FilterError extends Error {
  override readonly name = "FilterError";
  constructor(
    message: string,
    readonly start: number,
    readonly end: number,
    /** The whole text of a filter that would work, and may be what was meant. */
    readonly offer?: string,
  ) {
    super(message);
  }
}

/** A quote may be one of those into which programs for texts turn straight ones. */
const PARTS =
  /\s+|(r?)["“”„«»]((?:[^"“”„«»\\]|\\[\s\S])*)["“”«»]|['‘’‚]((?:[^'‘’\\]|\\[\s\S])[^'‘’]*)['‘’]|\[([^\]]*)\]|#(\d+)|(===|!==|==|!=|~=|<=|>=|&&|\|\||\^\^|\.\.|[<>=!(){},&~+*%]|[-/](?=\s|$)|-(?=[a-z({]))|((?:[^\s<>=!(){},&|"'“”„«»‘’‚^~+*%[\]#.]|\.(?!\.))+)/iy;
const WILDCARD =
  'A filter has no wildcards. Write a network as 10.6.7.0/24, a part of a name as contains "example".';
const ESCAPE = /\\(x[0-9a-f]{1,2}|[0-7]{1,3}|[\s\S])/gi;
const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Return the tokens of a filter. Throws FilterError for a sign that means nothing. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    PARTS.lastIndex = at;
    const found = PARTS.exec(text);
    if (found === null) throw refusal(text, at);
    const end = at + found[0].length;
    const [, raw, string, char, slice, layer, sign, word] = found;
    const add = (kind: TokenKind, part: string): unknown =>
      tokens.push({ kind, text: part, start: at, end });
    if (string !== undefined) add("string", raw ? string : unescaped(string));
    else if (char !== undefined) add("char", unescaped(char));
    else if (slice !== undefined) add("slice", slice.trim());
    else if (layer !== undefined) add("layer", layer);
    else if (sign === "*" && (text[at - 1] === "." || text[end] === ".")) {
      throw new FilterError(WILDCARD, at, end);
    } else if (sign !== undefined) add("sign", sign);
    else if (word !== undefined) add("word", word);
    at = end;
  }
  return tokens;
}

function refusal(text: string, at: number): FilterError {
  const sign = text.charAt(at);
  const missing = sign === "[" ? "bracket" : /["'“”„«»‘’‚]/.test(sign) ? "quote" : undefined;
  return missing === undefined
    ? new FilterError(`Unexpected "${sign}".`, at, at + 1)
    : new FilterError(`The closing ${missing} is missing.`, at, text.length);
}

/** What is no known escape stays as it is written, as patterns need it. */
function unescaped(text: string): string {
  return text.replace(ESCAPE, (whole, code: string) => {
    if (code.length > 1 && (code[0] === "x" || code[0] === "X")) {
      return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    }
    if (/^[0-7]+$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    if (code === "\\" || code === '"' || code === "'") return code;
    return ESCAPES[code] ?? whole;
  });
}

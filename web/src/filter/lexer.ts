/** The words and signs of a display filter, each with its place in the text. */

export type TokenKind = "word" | "string" | "sign";

export interface Token {
  readonly kind: TokenKind;
  /** The sign, the word, or what stands between the quotes. */
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

const SPACE = /\s+/y;
const SIGN = /==|!=|<=|>=|&&|\|\||[<>=!(){},]/y;
const WORD = /[^\s<>=!(){},&|"]+/y;

/** Return the tokens of a filter. Throws FilterError for a sign that means nothing. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const take = (pattern: RegExp, at: number): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  for (let at = 0; at < text.length; ) {
    const space = take(SPACE, at);
    if (space !== null) {
      at += space.length;
      continue;
    }
    if (text[at] === '"') {
      const close = text.indexOf('"', at + 1);
      if (close < 0) throw new FilterError("The closing quote is missing.", at, text.length);
      tokens.push({ kind: "string", text: text.slice(at + 1, close), start: at, end: close + 1 });
      at = close + 1;
      continue;
    }
    const sign = take(SIGN, at);
    const found = sign ?? take(WORD, at);
    if (found === null) {
      throw new FilterError(`Unexpected "${text.charAt(at)}".`, at, at + 1);
    }
    tokens.push({
      kind: sign === null ? "word" : "sign",
      text: found,
      start: at,
      end: at + found.length,
    });
    at += found.length;
  }
  return tokens;
}

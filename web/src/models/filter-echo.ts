/** A refused filter as its error repeats it: what is wrong, and not more around it than is read. */

import type { FilterError } from "../filter/lexer";

/** Characters of what is wrong, and of what stands before it and behind it. */
const WRONG = 60;
const AROUND = 40;
const MESSAGE = 300;
/** An offer that is longer cannot be read on a button. */
const OFFER = 120;

export interface FilterEcho {
  readonly before: string;
  readonly wrong: string;
  readonly after: string;
  readonly message: string;
  /** The text of a filter that would work; "" for none. */
  readonly offer: string;
}

/** Return what to show of an error in a filter. */
export function echoOf(text: string, error: FilterError): FilterEcho {
  const { start, end, offer = "" } = error;
  const said = error.message.replace(QUOTED, (_, word: string) => `"${shortened(word, WRONG)}"`);
  return {
    before: cut(text.slice(0, start), -AROUND),
    wrong: shortened(text.slice(start, end), WRONG) || " ",
    after: cut(text.slice(end), AROUND),
    message: cut(offer === "" ? said : said.replace(SAID, ""), MESSAGE),
    offer: offer.length > OFFER ? "" : offer,
  };
}

const QUOTED = /"((?:[^"\\]|\\.)*)"/gs;
/** What the offer says again. */
const SAID = / Search the text for it: .*$/s;

/** A text without its middle. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${cut(text, half)}${[...text].slice(-half).join("")}`;
}

/** The first characters of a text, or its last ones where `most` is negative. */
function cut(text: string, most: number): string {
  if (text.length <= Math.abs(most)) return text;
  const signs = [...text];
  return most < 0 ? `…${signs.slice(most).join("")}` : `${signs.slice(0, most).join("")}…`;
}

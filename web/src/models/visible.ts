/** Text of others, made so that what cannot be seen is seen and nothing can reorder the page. */

/** Control and format characters, and those that are drawn as nothing. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Letters that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/**
 * U+200C and U+200D are seen by what they do to the letters around them (RFC 5892, A.1 and A.2):
 * after a virama of an Indic script, and between Arabic letters that would join. The service has
 * the same rule.
 */
const VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2";
const JOINS_NEXT =
  "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687\u069a-\u06bf\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff";
const JOINS_PREVIOUS =
  "\u0620\u0622-\u063f\u0641-\u064a\u066e\u066f\u0671-\u0673\u0675-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06fc\u06ff";
const VOWEL = "\u064b-\u065f\u0670";
const JOINER = new RegExp(
  `(?<=[${VIRAMA}])[\u200c\u200d](?=\\p{L})|` +
    `(?<=[${JOINS_NEXT}][${VOWEL}]*)\u200c(?=[${VOWEL}]*[${JOINS_PREVIOUS}])`,
  "gu",
);

export interface TextPart {
  readonly text: string;
  /** The text is the code of a character that cannot be seen: "U+202E". */
  readonly isCode: boolean;
}

/** Return a text in parts: what can be seen as it is, each other character as its code. */
export function visibleParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let plain = "";
  const joiners = joinersIn(text);
  let at = 0;
  for (const character of text) {
    const isSeen = !HIDDEN.test(character) || joiners.has(at);
    at += character.length;
    if (isSeen) {
      plain += character;
      continue;
    }
    if (plain !== "") parts.push({ text: plain, isCode: false });
    plain = "";
    parts.push({ text: codeOf(character), isCode: true });
  }
  if (plain !== "") parts.push({ text: plain, isCode: false });
  return parts;
}

/** Return a name for the middle of a sentence, where no element can hold it apart. */
export function plainName(name: string): string {
  const text = visibleParts(name)
    .map((part) => (part.isCode ? `[${part.text}]` : part.text))
    .join("");
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** Say whether a text has characters that cannot be seen. */
export function hasHidden(text: string): boolean {
  return visibleParts(text).some(({ isCode }) => isCode);
}

/** Return the first character of a text that is one of these, joiners in their places left out. */
export function firstUnseen(text: string, unseen: RegExp): string | undefined {
  const joiners = joinersIn(text);
  let at = 0;
  for (const character of text) {
    if (unseen.test(character) && !joiners.has(at)) return character;
    at += character.length;
  }
  return undefined;
}

function joinersIn(text: string): ReadonlySet<number> {
  return new Set([...text.matchAll(JOINER)].map(({ index }) => index));
}

export function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

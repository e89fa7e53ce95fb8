/** Text of others, made so that what cannot be seen is seen and nothing can reorder the page. */

/** Control and format characters, and those that are drawn as nothing. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Letters that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

export interface TextPart {
  readonly text: string;
  /** The text is the code of a character that cannot be seen: "U+202E". */
  readonly isCode: boolean;
}

/** Return a text in parts: what can be seen as it is, each other character as its code. */
export function visibleParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let plain = "";
  for (const character of text) {
    if (!HIDDEN.test(character)) {
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
  return HIDDEN.test(text);
}

export function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

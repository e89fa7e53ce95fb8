/**
 * Numbers as people type them. The page writes thousands with commas, so it reads them with commas
 * too; elsewhere a comma is a decimal one, as in many countries.
 */

/** With commas between thousands: "1,000,000", "1,000.5". */
const GROUPED = /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/;
const POINT = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
/** "1234,567" may be either, so it is not read. */
const COMMA = /^[-+]?(0?,\d+|\d+,(?!\d{3}$)\d*)$/;
const WHOLE = /^[-+]?(\d+|[1-9]\d{0,2}(,\d{3})+)$/;

/** Read "1500", "1,500", "0.5" or "0,5"; NaN for what is no number. */
export function numberOf(text: string): number {
  const typed = text.trim();
  if (GROUPED.test(typed)) return Number(typed.replaceAll(",", ""));
  const plain = COMMA.test(typed) ? typed.replace(",", ".") : typed;
  return POINT.test(plain) ? Number(plain) : Number.NaN;
}

/** Read "1500" or "1,500"; NaN for what is no whole number, or not written as one. */
export function wholeOf(text: string): number {
  const typed = text.trim();
  return WHOLE.test(typed) ? Number(typed.replaceAll(",", "")) : Number.NaN;
}

/** Say how a number is written that has a comma or a point in the wrong place; else "". */
export function spelling(text: string, read: (text: string) => number): string {
  if (!/\d[.,]|[.,]\d/.test(text) || !Number.isNaN(read(text))) return "";
  return ` Write it like 1000 or 1,000${read === wholeOf ? "" : ", or with decimals like 0.5"}.`;
}

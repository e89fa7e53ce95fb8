/** Bytes as people write them: hexadecimal digits, with whatever stands between them. */

/** An error in typed bytes, with the place of it in the text. */
export class HexError extends Error {
  override readonly name = "HexError";
  constructor(
    message: string,
    readonly position: number,
  ) {
    super(message);
  }
}

/**
 * Return the bytes of text such as `45 00 00 1c`, `4500001c`, `0x45, 0x00` or `45:00`, and of a
 * dump with offsets and characters, as Wireshark, `hexdump -C` and `xxd` write them.
 * Throws HexError for anything else and for half a byte.
 */
export function parseHex(text: string): Uint8Array {
  return parseDump(text) ?? parseDigits(text);
}

/** An offset, and what follows it: "0010: 4500 ...", "00000010  45 00 ...". */
const DUMP_LINE = /^\s*(?:0x)?([0-9a-f]{4,8})(?::\s*|\s{2,}|$)(.*)$/i;
const GROUP = /^(?:[0-9a-f]{2})+(?=\s|$)/i;
const WIDTH = 16;

/** Return the bytes of a dump; null for a text without offsets that count its bytes from 0. */
function parseDump(text: string): Uint8Array | null {
  const bytes: number[] = [];
  let lines = 0;
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, offset = "", rest = ""] = DUMP_LINE.exec(line) ?? [];
    if (Number.parseInt(offset, 16) !== bytes.length) return null;
    lines++;
    for (const byte of dumped(rest)) bytes.push(byte);
  }
  return lines > 0 && bytes.length > 0 ? Uint8Array.from(bytes) : null;
}

/** Return the bytes of one line, without the characters that stand behind them. */
function dumped(line: string): number[] {
  const bytes: number[] = [];
  let rest = line.trimStart();
  while (bytes.length < WIDTH) {
    const group = GROUP.exec(rest)?.[0];
    if (group === undefined) break;
    for (let at = 0; at < group.length; at += 2) {
      bytes.push(Number.parseInt(group.slice(at, at + 2), 16));
    }
    const gap = /^\s*/.exec(rest.slice(group.length))?.[0].length ?? 0;
    // Only in the middle of a line are two spaces no end of its bytes.
    if (gap > 2 || (gap === 2 && bytes.length !== WIDTH / 2)) break;
    rest = rest.slice(group.length + gap);
  }
  return bytes;
}

function parseDigits(text: string): Uint8Array {
  const bytes: number[] = [];
  let at = 0;
  while (at < text.length) {
    const separator = /^(?:[\s,:-]+|0x(?=[0-9a-fA-F]{2}))/i.exec(text.slice(at, at + 64));
    if (separator) {
      at += separator[0].length;
      continue;
    }
    const pair = text.slice(at, at + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(pair)) {
      const single = /^[0-9a-fA-F]/.test(pair);
      throw new HexError(
        single
          ? `A byte has two digits, and "${pair.trim()}" has one.`
          : `"${pair.charAt(0)}" is not a hexadecimal digit.`,
        at,
      );
    }
    bytes.push(Number.parseInt(pair, 16));
    at += 2;
  }
  return Uint8Array.from(bytes);
}

/** Return bytes as `45 00 00 1c`, a line for every 16 of them. */
export function formatHex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const row = Array.from(bytes.subarray(start, start + 16));
    lines.push(row.map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

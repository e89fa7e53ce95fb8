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
 * Return the bytes of text such as `45 00 00 1c`, `4500001c`, `0x45, 0x00` or `45:00`.
 * Throws HexError for anything else and for half a byte.
 */
export function parseHex(text: string): Uint8Array {
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
          ? `Half a byte: "${pair.trim()}".`
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

/** Numbers and text in network byte order; 0 beyond the end, so that no reader has to fear it. */

export function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

export function u16(bytes: Uint8Array, at: number): number {
  return (u8(bytes, at) << 8) | u8(bytes, at + 1);
}

export function u24(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) << 8) | u8(bytes, at + 2);
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
}

/** Return bytes as text, everything that is not printable ASCII as a dot. */
export function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) {
    const code = u8(bytes, at);
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
  }
  return text;
}

const UTF8 = new TextDecoder();

/** Return bytes as text (UTF-8); what cannot be seen is a dot, what is no text U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if (u8(bytes, at) > 0x7e) {
      // Format characters could turn the text around them about.
      return UTF8.decode(bytes.subarray(start, end)).replace(/[\p{Cc}\p{Cf}]/gu, ".");
    }
  }
  return ascii(bytes, start, end);
}

/** Return bytes as Wireshark writes them, `02:00:5e`. */
export function octets(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) {
    text += (at > start ? ":" : "") + u8(bytes, at).toString(16).padStart(2, "0");
  }
  return text;
}

/** Return a number as `0x` and at least `digits` hexadecimal digits. */
export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Return bytes as hexadecimal digits. */
export function hexDigits(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at++) text += u8(bytes, at).toString(16).padStart(2, "0");
  return text;
}

/** Return the position of ASCII `needle` (lower case) in a range, whatever its case, or -1. */
export function findText(
  bytes: Uint8Array,
  start: number,
  end: number,
  needle: Uint8Array,
): number {
  const last = end - needle.length;
  for (let at = start; at <= last; at++) {
    let i = 0;
    for (; i < needle.length; i++) {
      let code = u8(bytes, at + i);
      if (code >= 0x41 && code <= 0x5a) code |= 0x20;
      if (code !== needle[i]) break;
    }
    if (i === needle.length) return at;
  }
  return -1;
}

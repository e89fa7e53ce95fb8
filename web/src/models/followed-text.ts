/** Bytes of a followed conversation as text, as hexadecimal digits, and as they were compressed. */

import type { Chunk, Followed, HttpMessage } from "../analysis/conversation";
import { ascii, hexDigits } from "../packet/bytes";

/** Bytes that are shown; a file has all that is kept. */
export const MAX_SHOWN = 512 * 1024;
/** Bytes that a compressed body may become. */
export const MAX_INFLATED = 4 * 1024 * 1024;
const WIDTH = 16;

/** Bytes as text: UTF-8 where it is text at all, and a dot for what cannot be seen. */
export function plainText(bytes: Uint8Array): string {
  if (!isText(bytes)) {
    return ascii(bytes, 0, bytes.length).replace(/(.{64})/g, "$1\n");
  }
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  // Line ends as they are; a return alone is none.
  return text.replace(/\r\n/g, "\n").replace(/[^\P{Cc}\n\t]|\p{Cf}|\ufffd/gu, ".");
}

/** Bytes as lines of an offset, 16 bytes and their characters. */
export function hexText(bytes: Uint8Array, from = 0): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const row = bytes.subarray(at, at + WIDTH);
    const digits = hexDigits(row)
      .replace(/../g, "$& ")
      .padEnd(3 * WIDTH);
    const text = [...row].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    );
    lines.push(`${(from + at).toString(16).padStart(8, "0")}  ${digits} ${text.join("")}`);
  }
  return lines.join("\n");
}

/** The chunks up to a number of bytes, the last one cut; all of one side where `side` says so. */
export function shownChunks(
  chunks: readonly Chunk[],
  side: 0 | 1 | null,
  most = MAX_SHOWN,
): { readonly chunks: readonly Chunk[]; readonly left: number } {
  const shown: Chunk[] = [];
  let room = most;
  let left = 0;
  for (const chunk of chunks) {
    if (side !== null && chunk.side !== side) continue;
    const bytes = chunk.bytes.subarray(0, room);
    left += chunk.bytes.length - bytes.length;
    room -= bytes.length;
    const parts = chunk.parts.filter(({ at }) => at < Math.max(1, bytes.length));
    if (bytes.length > 0 || chunk.missing > 0) shown.push({ ...chunk, bytes, parts });
  }
  return { chunks: shown, left };
}

/** All bytes of a side, or of both in their order. */
export function rawBytes({ chunks }: Followed, side: 0 | 1 | null): Blob {
  const parts = chunks.filter((chunk) => side === null || chunk.side === side);
  return new Blob(parts.map(({ bytes }) => bytes as Uint8Array<ArrayBuffer>));
}

/** A body as it was before it was compressed, or why that cannot be said. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly fault: string;
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  gzip: ["gzip"],
  "x-gzip": ["gzip"],
  deflate: ["deflate", "deflate-raw"],
  br: ["brotli", "br"],
  zstd: ["zstd"],
};

/** Undo the compression of a message's body, as far as the browser can. */
export async function bodyOf({ body, encoding }: HttpMessage): Promise<Body> {
  if (encoding === "" || encoding === "identity" || body.length === 0) {
    return { bytes: body, fault: "" };
  }
  const formats = FORMATS[encoding];
  let fault = `This browser cannot undo the compression “${encoding}”; the body is shown as it was sent.`;
  for (const format of formats ?? []) {
    let stream: DecompressionStream;
    try {
      stream = new DecompressionStream(format as CompressionFormat);
    } catch {
      continue;
    }
    const { bytes, isWhole, isCut } = await inflate(stream, body);
    if (bytes.length > 0 || isWhole) {
      if (isCut) return { bytes, fault: "Only the first 4 MiB of the body are shown." };
      return {
        bytes,
        fault: isWhole ? "" : "The rest of the compressed body is missing or damaged.",
      };
    }
    fault = "The compressed body is damaged; it is shown as it was sent.";
  }
  return { bytes: body, fault };
}

async function inflate(
  stream: DecompressionStream,
  body: Uint8Array,
): Promise<{ bytes: Uint8Array; isWhole: boolean; isCut: boolean }> {
  const writer = stream.writable.getWriter();
  // Its errors are those of the reader too.
  writer.write(body as Uint8Array<ArrayBuffer>).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  let isWhole = false;
  try {
    while (size < MAX_INFLATED) {
      const { done, value } = await reader.read();
      if (done) {
        isWhole = true;
        break;
      }
      parts.push(value);
      size += value.length;
    }
    if (!isWhole) await reader.cancel();
  } catch {
    // What came before the damage is shown.
  }
  const bytes = new Uint8Array(Math.min(size, MAX_INFLATED));
  let at = 0;
  for (const part of parts) {
    const piece = part.subarray(0, bytes.length - at);
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, isWhole, isCut: size >= MAX_INFLATED };
}

/** Say whether bytes read as text. */
export function isText(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 2048);
  let odd = 0;
  for (const byte of start) if (byte < 9 || (byte > 13 && byte < 32)) odd++;
  return odd <= Math.max(1, start.length / 50);
}

/** The places of a text in another, whatever its case; no more than `most`. */
export function placesOf(text: string, wanted: string, most: number): number[] {
  const places: number[] = [];
  if (wanted === "") return places;
  // U+0130 is the one letter that is longer in lower case: places would not fit.
  const lower = (one: string): string => one.replaceAll("\u0130", "i").toLowerCase();
  const [low, needle] = [lower(text), lower(wanted)];
  for (let at = low.indexOf(needle); at >= 0 && places.length < most; ) {
    places.push(at);
    at = low.indexOf(needle, at + needle.length);
  }
  return places;
}

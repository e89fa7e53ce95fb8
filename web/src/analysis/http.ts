/** Takes the bytes of both ends of a conversation apart into messages of HTTP/1 (RFC 9112). */

import type { Chunk, HttpMessage, Part } from "./conversation";

/** Messages of a conversation that are taken apart. */
const MAX_MESSAGES = 1000;
const MAX_HEAD = 65_536;
const LATIN = new TextDecoder("latin1");
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of one end, with the packet that each came in. */
class Stream {
  readonly bytes: Uint8Array;
  private readonly begins: number[] = [];
  private readonly parts: (Part & { readonly fromHost: boolean })[] = [];
  private readonly chunks: readonly Chunk[];

  constructor(
    readonly side: 0 | 1,
    chunks: readonly Chunk[],
  ) {
    this.chunks = chunks.filter((chunk) => chunk.side === side);
    this.bytes = new Uint8Array(this.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes, parts, fromHost } of this.chunks) {
      this.begins.push(at);
      for (const part of parts) this.parts.push({ ...part, at: at + part.at, fromHost });
      this.bytes.set(bytes, at);
      at += bytes.length;
    }
  }

  /** What is known of the bytes from one place to another by the packets that they came in. */
  origin(from: number, to: number): Pick<HttpMessage, "fromHost" | "row" | "timeNs" | "parts"> {
    let [low, high] = [0, this.parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.parts[middle]?.at ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    const first = Math.max(0, low - 1);
    const { fromHost = false, row = 0, timeNs = 0n } = this.parts[first] ?? {};
    let last = first + 1;
    while ((this.parts[last]?.at ?? to) < to) last++;
    const parts = this.parts
      .slice(first, last)
      .map((part) => ({ at: Math.max(0, part.at - from), row: part.row, timeNs: part.timeNs }));
    return { fromHost, row, timeNs, parts };
  }

  /** Where the next hole is, or the end. */
  wholeUntil(at: number): number {
    const index = this.chunks.findIndex(
      (chunk, i) => chunk.missing > 0 && (this.begins[i] ?? 0) > at,
    );
    return index < 0 ? this.bytes.length : (this.begins[index] ?? 0);
  }
}

/** Return the messages of both ends in the order in which they began. */
export function messagesOf(chunks: readonly Chunk[]): HttpMessage[] {
  const asked = new Stream(0, chunks);
  const told = new Stream(1, chunks);
  const methods: string[] = [];
  const requests = messagesIn(asked, (head) => {
    methods.push(head.slice(0, head.indexOf(" ")));
    return true;
  });
  let answered = 0;
  const responses = messagesIn(told, (head) => {
    const status = Number(head.slice(9, 12));
    if (status >= 100 && status < 200) return status === 101;
    const method = methods[answered++];
    return method !== "HEAD" && status !== 204 && status !== 304;
  });
  // Order by time, and a request before what answers it at the same time.
  return [...requests, ...responses].sort((a, b) =>
    a.timeNs === b.timeNs ? a.row - b.row : a.timeNs < b.timeNs ? -1 : 1,
  );
}

/** `hasBody` says by the head whether a message may have a body. */
function messagesIn(stream: Stream, hasBody: (head: string) => boolean): HttpMessage[] {
  const { bytes, side } = stream;
  const messages: HttpMessage[] = [];
  for (let at = 0; at < bytes.length && messages.length < MAX_MESSAGES; ) {
    const begin = at;
    const until = stream.wholeUntil(at);
    const behind = headEnd(bytes, at, Math.min(until, at + MAX_HEAD));
    const head = behind < 0 ? "" : headText(bytes.subarray(at, behind));
    if (!/^(HTTP\/\d|[A-Z]+ \S+ HTTP\/\d)/.test(head)) {
      const fault =
        at === 0
          ? "The beginning is missing, or this is not HTTP."
          : "This part is not HTTP, or bytes before it are missing.";
      messages.push({
        side,
        ...stream.origin(at, until),
        head: "",
        body: bytes.subarray(at, until),
        encoding: "",
        fault,
      });
      at = until;
      continue;
    }
    const isRequest = !head.startsWith("HTTP/");
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im").exec(head)?.[1]?.replace(/\r$/, "") ?? "";
    let body: Uint8Array = bytes.subarray(behind, behind);
    let fault = "";
    at = behind;
    if (hasBody(head)) {
      const length = field("content-length");
      if (/chunked/i.test(field("transfer-encoding"))) {
        const found = dechunk(bytes, behind, until);
        body = found.body;
        at = found.end;
        if (!found.isWhole) {
          fault = "The last chunks are missing.";
          at = until;
        }
      } else if (/^\d+$/.test(length)) {
        const end = behind + Number(length);
        body = bytes.subarray(behind, Math.min(end, until));
        if (end > until) fault = `${end - until} bytes are missing.`;
        at = Math.min(end, until);
      } else if (!isRequest) {
        // It ends with the connection.
        body = bytes.subarray(behind, until);
        at = until;
      }
    }
    const encoding = field("content-encoding").toLowerCase();
    const origin = stream.origin(begin, at);
    messages.push({ side, ...origin, head, body: body.slice(), encoding, fault });
  }
  return messages;
}

/** Read a head as UTF-8, else as Latin-1, which any bytes are; what cannot be seen is a dot. */
function headText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    text = LATIN.decode(bytes);
  }
  // Format characters could turn the text around them about.
  return text.replace(/[^\P{Cc}\r\n\t]|\p{Cf}/gu, ".");
}

/** Return the place behind the empty line that ends a head; -1 without one. */
function headEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at + 3 < end; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) {
      return at + 4;
    }
  }
  return -1;
}

/** Put the chunks of a body together (RFC 9112, section 7.1). */
function dechunk(
  bytes: Uint8Array,
  start: number,
  end: number,
): { body: Uint8Array; end: number; isWhole: boolean } {
  const parts: Uint8Array[] = [];
  let size = 0;
  let at = start;
  let isWhole = false;
  for (;;) {
    const line = lineAt(bytes, at, end);
    if (line === null || !/^[0-9a-f]{1,8}\s*(;.*)?$/i.test(line)) break;
    const length = Number.parseInt(line, 16);
    at += line.length + 2;
    if (length === 0) {
      // Trailers, up to an empty line.
      for (
        let trailer = lineAt(bytes, at, end);
        trailer !== null;
        trailer = lineAt(bytes, at, end)
      ) {
        at += trailer.length + 2;
        if (trailer === "") {
          isWhole = true;
          break;
        }
      }
      break;
    }
    const part = bytes.subarray(at, Math.min(at + length, end));
    parts.push(part);
    size += part.length;
    if (at + length + 2 > end) break;
    at += length + 2;
  }
  const body = new Uint8Array(size);
  let to = 0;
  for (const part of parts) {
    body.set(part, to);
    to += part.length;
  }
  return { body, end: at, isWhole };
}

function lineAt(bytes: Uint8Array, start: number, end: number): string | null {
  for (let at = start; at + 1 < end && at < start + 1024; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10) return LATIN.decode(bytes.subarray(start, at));
  }
  return null;
}

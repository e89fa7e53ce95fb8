/** Where the messages of HTTP/1 begin and end in the bytes of one end (RFC 9112, section 6). */

import { u8 } from "./bytes";
import { MAX_ITEMS } from "./dissection";
import { begins, isHttp, mayBeHttp } from "./sniff";

/** What comes next. */
const MESSAGE = 0;
const HEAD = 1;
const BODY = 2;
const CHUNK_SIZE = 3;
const CHUNK = 4;
const TRAILER = 5;
/** All that is left belongs to the last message, or is no HTTP. */
const REST = 6;
/** Nobody knows: a message may begin where a segment does. */
const LOST = 7;

/** Of a line that is continued in the next segment. */
const MAX_LINE = 256;
/** Bytes that tell what a message is: `HTTP/1.1 200`. */
const FIRST = 12;
const NO_BYTES = new Uint8Array();

/** What is told of messages, with places in the bytes that are read. */
export interface HttpReader {
  /**
   * A message begins, at most `FIRST` bytes before what is read now. Returns false for one that has
   * no body whatever its head says: the answer to HEAD.
   */
  onMessage(at: number, first: string): boolean;
  /** The head of a message ends that began before what is read now. */
  onHead?(end: number): void;
}
const FRAMING = /^(content-length|transfer-encoding):\s*(.*?)\s*$/i;
const DIGITS = /^\d{1,15}$/;

export class HttpFraming {
  private next = LOST;
  /** Bytes that are left of a body or of a chunk. */
  private left = 0;
  /** What came of a line. */
  private line = "";
  private isChunked = false;
  private length = -1;
  private hasBody = true;
  private endsLate = false;
  /** Whether the message began in what is read now. */
  private isNew = false;
  /** The last bytes, where they may be the first ones of a message. */
  private rest: Uint8Array = NO_BYTES;

  /** Whether the next byte belongs to a message that has begun. */
  get isInside(): boolean {
    return (this.next !== MESSAGE && this.next !== LOST) || this.rest.length > 0;
  }

  /** Read on from `start` to `end`. */
  read(bytes: Uint8Array, start: number, end: number, reader: HttpReader): void {
    if (this.next === LOST) this.next = MESSAGE;
    this.isNew = false;
    let count = 0;
    for (let at = start; at < end; ) {
      switch (this.next) {
        case MESSAGE: {
          const { rest } = this;
          let first: Uint8Array = bytes.subarray(at, Math.min(end, at + FIRST));
          if (rest.length > 0) first = Uint8Array.of(...rest, ...first);
          this.rest = NO_BYTES;
          if (first.length < FIRST && mayBeHttp(first)) {
            this.rest = first;
            return;
          }
          if (isHttp(first, 0, first.length) && ++count <= MAX_ITEMS) {
            const text = String.fromCharCode(...first.subarray(0, FIRST));
            this.begin(text, reader.onMessage(at - rest.length, text));
            this.isNew = rest.length === 0;
            this.line = text.slice(0, rest.length);
          } else {
            this.next = LOST;
            return;
          }
          break;
        }
        case BODY:
        case CHUNK: {
          const size = Math.min(this.left, end - at);
          at += size;
          this.left -= size;
          if (this.left === 0) this.next = this.next === BODY ? MESSAGE : CHUNK_SIZE;
          break;
        }
        case REST:
          return;
        default: {
          let stop = at;
          while (stop < end && u8(bytes, stop) !== 10) stop++;
          if (this.next === HEAD && this.line === "" && isOther(u8(bytes, at))) this.line = "-";
          else {
            for (let i = at; i < stop && this.line.length < MAX_LINE; i++) {
              this.line += String.fromCharCode(u8(bytes, i));
            }
          }
          if (stop === end) return;
          at = stop + 1;
          const line = this.line.replace(/\r$/, "");
          if (this.next === HEAD && line === "" && !this.isNew) reader.onHead?.(at);
          this.take(line);
          this.line = "";
          // The answer to HEAD tells the length of a body that does not come.
          if (
            this.endsLate &&
            (this.next === BODY || this.next === CHUNK_SIZE) &&
            begins(bytes, at, end, "HTTP/1.")
          )
            this.next = MESSAGE;
        }
      }
    }
  }

  /** Bytes that are sure to belong to a message that has begun. */
  get room(): number {
    return this.next === BODY || this.next === CHUNK ? this.left : 0;
  }

  /** Pass over bytes that are missing; where a line or a message is among them, nothing is known. */
  skip(size: number): void {
    if (this.next === REST) return;
    if (size < this.room) this.left -= size;
    else {
      this.next = LOST;
      this.line = "";
      this.rest = NO_BYTES;
    }
  }

  private begin(first: string, hasBody: boolean): void {
    const status = statusOf(first);
    const isAnswer = status !== null;
    const isEmpty = status === 204 || status === 304 || (isAnswer && status < 200);
    this.hasBody = hasBody && !isEmpty;
    // Another protocol goes on behind 101.
    this.endsLate = status === 101 || (isAnswer && this.hasBody);
    this.isChunked = false;
    this.length = -1;
    this.next = HEAD;
  }

  private take(line: string): void {
    if (this.next === HEAD) {
      if (line === "") this.endHead();
      const [, name = "", value = ""] = FRAMING.exec(line) ?? [];
      if (/^t/i.test(name)) this.isChunked = /\bchunked$/i.test(value);
      else if (name !== "" && DIGITS.test(value)) this.length = Number(value);
    } else if (this.next === CHUNK_SIZE) {
      const [, digits = ""] = /^([\da-f]{1,8})\s*(?:;.*)?$/i.exec(line) ?? [];
      const size = Number.parseInt(digits, 16);
      if (digits === "") this.next = LOST;
      else if (size === 0) this.next = TRAILER;
      else {
        this.next = CHUNK;
        this.left = size + 2;
      }
    } else if (line === "") this.next = MESSAGE;
  }

  private endHead(): void {
    this.next = MESSAGE;
    if (this.hasBody && this.isChunked) this.next = CHUNK_SIZE;
    else if (this.hasBody && this.length > 0) {
      this.next = BODY;
      this.left = this.length;
    } else if (this.endsLate && !(this.hasBody && this.length === 0)) this.next = REST;
  }
}

/** Say whether a line that begins so tells nothing of the body, nor ends a head. */
function isOther(byte: number): boolean {
  const letter = byte | 0x20;
  return letter !== 0x63 && letter !== 0x74 && byte !== 13 && byte !== 10;
}

/** Return the status of an answer by its first bytes; null for a request. */
export function statusOf(first: string): number | null {
  return first.startsWith("HTTP/") ? Number(first.slice(9, 12)) : null;
}

/** What is followed, in blocks of what one end said, and where a text is in them. */

import type { Chunk, Followed, How, HttpMessage, Part } from "../../analysis/conversation";
import { endText } from "../../models/conversation-text";
import {
  type Body,
  hexText,
  isText,
  MAX_SHOWN,
  placesOf,
  plainText,
  shownChunks,
} from "../../models/followed-text";
import { timeText } from "../../models/packet-text";
import { count } from "../../models/units";
import { WAYS, type Way } from "../ui/Direction";

export type Look = "text" | "hex";

/** Places of a text that are marked. */
export const MAX_FOUND = 1000;

/** The addresses of both ends, the opener's first. */
export function endsOf({ conversation: one }: Followed): readonly [string, string] {
  return [endText(one.source, one.sourcePort), endText(one.destination, one.destinationPort)];
}

/** The direction of what was said; where that is not known, what the opener said is the one. */
function wayOf({ fromHost, side }: Chunk | HttpMessage, isDirected: boolean): Way {
  return (isDirected ? fromHost : side === 0) ? "received" : "injected";
}

/** "→ From host, ", or the arrow alone. */
function wayText(way: Way, isDirected: boolean): string {
  const { arrow, label } = WAYS[way];
  return isDirected ? `${arrow} ${label}, ` : `${arrow} `;
}

/** A run of what one end said, or a gap. */
export interface Block {
  readonly way: Way;
  readonly head: string;
  readonly parts: readonly Part[];
  readonly text: string;
  readonly gap: string;
}

/** Return what is shown of a stream, of one side or both, and how many bytes are left out. */
export function blocksOf(
  followed: Followed,
  isDirected: boolean,
  look: Look,
  side: 0 | 1 | null,
  bodies: ReadonlyMap<HttpMessage, Body>,
  most = MAX_SHOWN,
): { blocks: readonly Block[]; left: number } {
  const ends = endsOf(followed);
  const head = (one: Chunk | HttpMessage, size: number) =>
    `${wayText(wayOf(one, isDirected), isDirected)}${ends[one.side]}, ${timeText(one.timeNs, "clock", 0n)}, ${sizeText(size, followed.how)}`;
  if (followed.how !== "http") {
    // In hexadecimal digits a byte takes five times the room.
    const { chunks, left } = shownChunks(followed.chunks, side, look === "hex" ? most / 4 : most);
    const at = [0, 0];
    const blocks = chunks.map((chunk: Chunk): Block => {
      const from = (at[chunk.side] ?? 0) + chunk.missing;
      at[chunk.side] = from + chunk.bytes.length;
      return {
        way: wayOf(chunk, isDirected),
        parts: chunk.parts,
        head: head(chunk, chunk.bytes.length),
        gap: chunk.missing > 0 ? `${count(chunk.missing)} bytes are missing here` : "",
        text: look === "hex" ? hexText(chunk.bytes, from) : plainText(chunk.bytes),
      };
    });
    return { blocks, left };
  }
  let room = look === "hex" ? most / 4 : most;
  let left = 0;
  const blocks: Block[] = [];
  for (const message of followed.messages) {
    if (side !== null && message.side !== side) continue;
    const body = bodies.get(message) ?? { bytes: message.body, fault: "" };
    const shown = body.bytes.subarray(0, room);
    left += body.bytes.length - shown.length;
    room -= shown.length;
    const content = look === "hex" || !isText(shown) ? hexText(shown) : plainText(shown);
    const faults = [message.fault, body.fault].filter((fault) => fault !== "");
    blocks.push({
      way: wayOf(message, isDirected),
      parts: message.parts,
      head: head(message, body.bytes.length),
      gap: faults.join(" "),
      text: `${message.head.replace(/\r\n/g, "\n")}${content}`,
    });
  }
  return { blocks, left };
}

/** "12 bytes"; of a message of HTTP, how large its body is. */
function sizeText(size: number, how: How): string {
  if (how === "http" && size === 0) return "no body";
  const bytes = `${count(size)} byte${size === 1 ? "" : "s"}`;
  return how === "http" ? `body of ${bytes}` : bytes;
}

/** Return the blocks as the text of a file. */
export function savedText(blocks: readonly Block[]): string {
  return blocks
    .map(({ head, gap, text }) => `--- ${head}${gap && ` (${gap})`}\n${text}\n`)
    .join("\n");
}

/** Where a text is in the blocks, and how often in all. */
export type Places = ReadonlyMap<Block, readonly [first: number, places: readonly number[]]>;

/** Find a text, up to `MAX_FOUND` times. */
export function findIn(
  blocks: readonly Block[],
  wanted: string,
): {
  places: Places;
  total: number;
} {
  const places = new Map<Block, readonly [number, readonly number[]]>();
  let total = 0;
  for (const block of blocks) {
    const found = placesOf(block.text, wanted, MAX_FOUND - total);
    if (found.length > 0) places.set(block, [total, found]);
    total += found.length;
  }
  return { places, total };
}

/** A record of TLS, or a head of HTTP, that lies in several segments, put together again. */

import { applicationDissector } from "../packet/applications";
import { u32 } from "../packet/bytes";
import { Dissection, Field } from "../packet/dissection";
import * as mark from "./marks";
import type { Rows } from "./rows";

/** Packets of the conversation that are looked at. */
const MAX_STEPS = 1024;

/** Return what ends in a row as its layer; null where nothing does, or not all of it is there. */
export function recordOf(rows: Rows, row: number, protocol?: string): Field | null {
  const name = ((rows.marks[rows.slot(row)] ?? 0) & mark.TLS) !== 0 ? "tls" : "http";
  if (protocol !== undefined && protocol !== name) return null;
  const bytes = bytesOf(rows, row);
  if (bytes === null) return null;
  const to = new Dissection(bytes, bytes.length);
  const known = applicationDissector(name, "tcp");
  if (known !== undefined) to.run(known, 0, bytes.length);
  const at = rows.uppers[rows.slot(row)] ?? 0;
  const [layer] = to.layers;
  return layer === undefined ? null : placed(layer, at);
}

function bytesOf(rows: Rows, row: number): Uint8Array | null {
  const slot = rows.slot(row);
  const behind = rows.behind[slot] ?? 0;
  const own = rows.ends[slot] ?? 0;
  if (behind === 0 || (rows.captured[slot] ?? 0) < own) return null;
  const whole = new Uint8Array(behind + own);
  const first = (sequenceOf(rows, slot) - behind) | 0;
  const way = (rows.marks[slot] ?? 0) & mark.BACKWARD;
  /** All bytes from here on are there. */
  let from = whole.length;
  let at = row;
  for (let step = 0; from > 0 && step < MAX_STEPS && rows.has(at); step++) {
    const one = rows.slot(at);
    const marks = rows.marks[one] ?? 0;
    const size = rows.captured[one] ?? 0;
    const place = (sequenceOf(rows, one) - first) | 0;
    if ((marks & mark.SEGMENT) !== 0 && (marks & mark.BACKWARD) === way && place < from) {
      const skip = Math.max(0, -place);
      const stop = Math.min(size, from - place);
      if (place + size >= from && skip < stop) {
        const payload = (rows.starts[one] ?? 0) + (rows.payloads[one] ?? 0);
        const message = rows.messages[one] as Uint8Array;
        whole.set(message.subarray(payload + skip, payload + stop), place + skip);
        from = place + skip;
      }
    }
    const distance = rows.previous[one] ?? 0;
    if (distance === 0) break;
    at -= distance;
  }
  return from === 0 ? whole : null;
}

function sequenceOf(rows: Rows, slot: number): number {
  const at = (rows.starts[slot] ?? 0) + (rows.uppers[slot] ?? 0);
  return u32(rows.messages[slot] as Uint8Array, at + 4) | 0;
}

/** Its bytes lie in several packets, so that it has none in this one. */
function placed({ name, label, value, text, fields }: Field, at: number): Field {
  const field = new Field(name, label, at, at, value, text);
  for (const one of fields) field.fields.push(placed(one, at));
  return field;
}

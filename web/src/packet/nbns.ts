/** NetBIOS name service (RFC 1002): how Windows asks for names on IPv4. */

import { ascii, u8, u16 } from "./bytes";
import { type Dissection, type Field, isFull, SHORT } from "./dissection";
import { readName } from "./labels";
import { lay } from "./layout";
import { nameOf } from "./names";

const FLAGS = "flags:Flags:2x;flags.response:Response:2&8000;flags.opcode:Operation:2&7800=NBOP";
const COUNTS =
  "count.queries:Questions:2;count.answers:Answers:2;count.auth_rr:Authorities:2;count.add_rr:Additional:2";
const RECORD = "type:Type:2=NB;class:Class:2";

export function dissectNbns(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "NBNS";
  const layer = to.layer("nbns", "NetBIOS Name Service", start, end);
  const flags = u16(bytes, start + 2);
  const response = flags >= 0x8000;
  let table = `id:Transaction:2x;${FLAGS}`;
  if (response) table += ";flags.authoritative:Authoritative:2&400";
  table += ";flags.truncated:Truncated:2&200;flags.recdesired:Recursion desired:2&100";
  if (response) table += ";flags.recavail:Recursion available:2&80";
  table += ";flags.broadcast:Broadcast:2&10";
  if (response) table += ";flags.rcode:Reply code:2&f=NBRCODE";
  const operation = nameOf("NBOP", (flags >> 11) & 15) ?? "Unknown operation";
  to.info = `${operation}${response ? " response" : ""}`;
  let at = lay(to, layer, "nbns", start, end, `${table};${COUNTS}`);
  let said = "";
  for (let section = 0; section < 4; section++) {
    for (let i = u16(bytes, start + 4 + 2 * section); i > 0 && !isFull(layer, at, end); i--) {
      if (at >= end) throw SHORT;
      const name = readName(bytes, start, at, end);
      if (name.trouble !== "") throw new Error(name.trouble);
      const shown = decoded(name.text);
      const label = section === 0 ? "Question" : "Record";
      const record = layer.add("", label, at, end, "", shown);
      record.add("nbns.name", "Name", at, name.end, shown);
      const type = u16(bytes, name.end);
      const kind = nameOf("NB", type) ?? String(type);
      at = lay(to, record, "nbns", name.end, end, RECORD);
      if (section > 0) at = addRecord(to, record, at, end, type);
      const address = record.fields.find((field) => field.name === "nbns.addr")?.text;
      said ||= ` ${kind} ${address ?? shown}`;
      record.end = at;
    }
  }
  const code = flags & 15;
  if (response && code !== 0) to.info += `, ${nameOf("NBRCODE", code) ?? "Unknown error"}`;
  to.info += said;
  layer.text = to.info;
}

function addRecord(
  to: Dissection,
  record: Field,
  start: number,
  end: number,
  type: number,
): number {
  const stop = start + 6 + u16(to.bytes, start + 4);
  let at = lay(to, record, "nbns", start, end, "ttl:Time to live:4~s;data_length:Data length:2");
  const entry =
    "nb_flags:Flags:2x;nb_flags.group:Group:2&8000;nb_flags.ont:Kind of node:2&6000;addr:Address:4a";
  while (type === 32 && at + 6 <= stop && !isFull(record, at, stop)) {
    at = lay(to, record, "nbns", at, end, entry);
    record.text += ` ${record.fields.at(-1)?.text ?? ""}`;
  }
  if (stop > end) throw SHORT;
  return stop;
}

/** Return a name of 16 characters that was written as 32 letters (RFC 1001, section 14.1). */
function decoded(encoded: string): string {
  const [first = ""] = encoded.split(".");
  if (!/^[A-P]{32}$/.test(first)) return encoded || "<Root>";
  const letters = Uint8Array.from({ length: 16 }, (_, i) => {
    return ((first.charCodeAt(2 * i) - 65) << 4) | (first.charCodeAt(2 * i + 1) - 65);
  });
  const name = ascii(letters, 0, 15).trimEnd();
  return `${name}<${u8(letters, 15).toString(16).padStart(2, "0")}>`;
}

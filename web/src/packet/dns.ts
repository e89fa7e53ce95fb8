/** DNS (RFC 1035), and mDNS (RFC 6762), which looks the same. */

import { ipv4Text, ipv6Text } from "./address";
import { ascii, hex, u8, u16, u32 } from "./bytes";
import { addNumber, type Dissection, type Dissector, type Field, isFull } from "./dissection";
import { DNS_REPLY_CODES, DNS_TYPES } from "./names";

const MAX_NAME = 255; // RFC 1035, section 2.3.4

/** Return the dissector of a protocol that is written as DNS is. */
export function dnsDissector(protocol: "DNS" | "MDNS"): Dissector {
  return (to, start, end) => {
    to.protocol = protocol;
    if (end - start < 12) {
      to.truncated("dns", protocol, start);
      return;
    }
    dissect(to, protocol, start, end);
  };
}

/** DNS over TCP: a length before each message. */
export function dissectDnsOverTcp(to: Dissection, start: number, end: number): void {
  const length = u16(to.bytes, start);
  if (length < 12 || start + 2 + length > end) {
    to.data(start, end);
    return;
  }
  to.protocol = "DNS";
  dissect(to, "DNS", start + 2, start + 2 + length);
}

function dissect(to: Dissection, protocol: string, start: number, end: number): void {
  const { bytes } = to;
  const layer = to.layer("dns", titles[protocol] ?? protocol, start, end);
  const id = u16(bytes, start);
  layer.add("dns.id", "Transaction", start, start + 2, id, hex(id, 4));
  const flags = u16(bytes, start + 2);
  const response = flags >> 15 === 1;
  const opcode = (flags >> 11) & 0xf;
  const code = flags & 0xf;
  const codeName = DNS_REPLY_CODES[code] ?? `Reply code ${code}`;
  const field = layer.add(
    "dns.flags",
    "Flags",
    start + 2,
    start + 4,
    flags,
    `${hex(flags, 4)} (${response ? `response, ${codeName.toLowerCase()}` : "query"})`,
  );
  const bit = (name: string, label: string, mask: number, at: number): void => {
    field.add(`dns.flags.${name}`, label, at, at + 1, (flags & mask) !== 0);
  };
  bit("response", "Response", 0x8000, start + 2);
  field.add("dns.flags.opcode", "Operation", start + 2, start + 3, opcode);
  bit("authoritative", "Authoritative", 0x400, start + 2);
  bit("truncated", "Truncated", 0x200, start + 2);
  bit("recdesired", "Recursion desired", 0x100, start + 2);
  if (response) bit("recavail", "Recursion available", 0x80, start + 3);
  if (response) field.add("dns.flags.rcode", "Reply code", start + 3, start + 4, code, codeName);
  const counts = (["queries", "answers", "auth_rr", "add_rr"] as const).map((name, index) =>
    addNumber(
      layer,
      `dns.count.${name}`,
      COUNTS[index] ?? "",
      u16,
      bytes,
      start + 4 + 2 * index,
      2,
    ),
  );

  const mdns = protocol === "MDNS";
  let said = "";
  let at = start + 12;
  for (let i = 0; i < (counts[0] ?? 0) && at < end && !isFull(layer, at, end); i++) {
    const [name, stop] = readName(bytes, start, at, end);
    if (stop + 4 > end) break;
    const type = u16(bytes, stop);
    const unicast = mdns && (u16(bytes, stop + 2) & 0x8000) !== 0;
    const query = layer.add(
      "dns.qry",
      "Question",
      at,
      stop + 4,
      name,
      `${name || "<Root>"} ${typeName(type)}`,
    );
    query.add("dns.qry.name", "Name", at, stop, name || "<Root>");
    query.add("dns.qry.type", "Type", stop, stop + 2, type, `${typeName(type)} (${type})`);
    addClass(query, "dns.qry.class", stop + 2, u16(bytes, stop + 2), mdns);
    said += ` ${typeName(type)} ${name || "<Root>"}`;
    if (mdns) said += `, "${unicast ? "QU" : "QM"}" question`;
    at = stop + 4;
  }
  for (const [section, count] of counts.slice(1).entries()) {
    for (let i = 0; i < count && at < end && !isFull(layer, at, end); i++) {
      const record = addRecord(to, layer, section, start, at, end, mdns);
      if (record === null) break;
      at = record.end;
      if (record.said) said += ` ${record.said}`;
    }
  }
  const kind = OPERATIONS[opcode] ?? "Unknown operation";
  const trouble = response && code !== 0 ? ` ${codeName}` : "";
  to.info = `${kind}${response ? " response" : ""} ${hex(id, 4)}${trouble}${said}`;
  layer.text = response ? `response, ${codeName.toLowerCase()}` : "query";
  const asked = layer.fields.find((one) => one.name === "dns.qry");
  if (asked) layer.text += `, ${asked.text}`;
}

const titles: Readonly<Record<string, string>> = {
  DNS: "Domain Name System",
  MDNS: "Multicast Domain Name System",
};
const COUNTS = ["Questions", "Answers", "Authorities", "Additional"];
const OPERATIONS: Readonly<Record<number, string>> = {
  0: "Standard query",
  1: "Inverse query",
  2: "Server status request",
  4: "Zone change notification",
  5: "Dynamic update",
};
const SECTIONS = ["Answer", "Authority", "Additional"];

function addRecord(
  to: Dissection,
  layer: Field,
  section: number,
  message: number,
  start: number,
  end: number,
  mdns: boolean,
): { end: number; said: string } | null {
  const { bytes } = to;
  const [name, at] = readName(bytes, message, start, end);
  const length = u16(bytes, at + 8);
  const stop = at + 10 + length;
  if (stop > end) return null;
  const type = u16(bytes, at);
  const label = SECTIONS[section] ?? "Record";
  const data = recordData(bytes, message, type, at + 10, stop);
  const shown = name || "<Root>";
  const record = layer.add(
    "dns.rr",
    label,
    start,
    stop,
    shown,
    `${shown} ${typeName(type)} ${data.text}`,
  );
  record.add("dns.resp.name", "Name", start, at, shown);
  record.add("dns.resp.type", "Type", at, at + 2, type, `${typeName(type)} (${type})`);
  if (type !== 41) {
    addClass(record, "dns.resp.class", at + 2, u16(bytes, at + 2), mdns);
    const ttl = u32(bytes, at + 4);
    record.add("dns.resp.ttl", "Time to live", at + 4, at + 8, ttl, `${ttl} s`);
  }
  record.add("dns.resp.len", "Data length", at + 8, at + 10, length);
  if (data.name) record.add(data.name, data.label, at + 10, stop, data.text);
  // Wireshark leaves names in the addresses' place only where they are the answer.
  return { end: stop, said: `${typeName(type)}${data.said ? ` ${data.said}` : ""}` };
}

interface RecordData {
  name: string;
  label: string;
  text: string;
  /** What the table says of it. */
  said: string;
}

function recordData(
  bytes: Uint8Array,
  message: number,
  type: number,
  start: number,
  end: number,
): RecordData {
  const named = (name: string, label: string, at: number): RecordData => {
    const [text] = readName(bytes, message, at, end);
    return { name, label, text: text || "<Root>", said: text || "<Root>" };
  };
  switch (type) {
    case 1: {
      const text = ipv4Text(bytes, start);
      return { name: "dns.a", label: "Address", text, said: text };
    }
    case 28: {
      const text = ipv6Text(bytes, start);
      return { name: "dns.aaaa", label: "Address", text, said: text };
    }
    case 2:
      return named("dns.ns", "Name server", start);
    case 5:
      return named("dns.cname", "Canonical name", start);
    case 6:
      return named("dns.soa.mname", "Primary name server", start);
    case 12:
      return named("dns.ptr.domain_name", "Domain name", start);
    case 15: {
      const exchange = named("dns.mx.mail_exchange", "Mail exchange", start + 2);
      return { ...exchange, said: `${u16(bytes, start)} ${exchange.text}` };
    }
    case 33: {
      const target = named("dns.srv.target", "Target", start + 6);
      const numbers = [0, 2, 4].map((at) => u16(bytes, start + at)).join(" ");
      return { ...target, said: `${numbers} ${target.text}` };
    }
    case 16: {
      const text = ascii(bytes, start + 1, Math.min(end, start + 1 + u8(bytes, start)));
      return { name: "dns.txt", label: "Text", text, said: "" };
    }
    default:
      return { name: "", label: "", text: `${end - start} bytes`, said: "" };
  }
}

function addClass(layer: Field, name: string, at: number, value: number, mdns: boolean): void {
  const number = mdns ? value & 0x7fff : value;
  layer.add(name, "Class", at, at + 2, number, number === 1 ? "IN (1)" : String(number));
}

function typeName(type: number): string {
  return DNS_TYPES[type] ?? `Unknown (${type})`;
}

/**
 * Return a name and where it ends; pointers (RFC 1035, section 4.1.4) only lead backwards. A name
 * that is longer than one may be, or has a label of a kind that is not known, ends with "…".
 */
export function readName(
  bytes: Uint8Array,
  message: number,
  start: number,
  end: number,
): [name: string, end: number] {
  const labels: string[] = [];
  let at = start;
  let stop = -1;
  let lowest = start;
  let size = 0;
  while (at < end) {
    const length = u8(bytes, at);
    if (length === 0) {
      if (stop < 0) stop = at + 1;
      break;
    }
    if (length >= 0xc0) {
      if (stop < 0) stop = at + 2;
      const target = message + (u16(bytes, at) & 0x3fff);
      if (target >= lowest) {
        labels.push("…");
        break;
      }
      at = lowest = target;
      continue;
    }
    size += length + 1;
    if (length > 63 || size > MAX_NAME) {
      labels.push("…");
      break;
    }
    labels.push(ascii(bytes, at + 1, Math.min(end, at + 1 + length)));
    at += 1 + length;
  }
  return [labels.join("."), stop < 0 ? end : stop];
}

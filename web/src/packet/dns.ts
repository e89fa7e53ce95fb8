/** DNS (RFC 1035), and mDNS (RFC 6762) and LLMNR (RFC 4795), which look the same. */

import { hex, u8, u16 } from "./bytes";
import { type Dissection, type Dissector, type Field, isFull, SHORT } from "./dissection";
import { readName } from "./labels";
import { lay } from "./layout";
import { nameOf } from "./names";

const OPT = 41;
const CAA = 257;
const TXT = [16, 99];

const FLAGS =
  "id:Transaction:2x;flags:Flags:2x;flags.response:Response:2&8000;flags.opcode:Operation:2&7800=DNSOP";
const AUTHORITATIVE = ";flags.authoritative:Authoritative:2&400";
const TRUNCATED = ";flags.truncated:Truncated:2&200";
const RECURSION = ";flags.recdesired:Recursion desired:2&100";
const RCODE = ";flags.rcode:Reply code:2&f=RCODE";
const COUNTS = ["queries", "answers", "auth_rr", "add_rr"];
const UPDATE_COUNTS = ["zones", "prerequisites", "updates", "add_rr"];
const LABELS = ["Questions", "Answers", "Authorities", "Additional"];
const SECTIONS = ["Answer", "Authority", "Additional"];

/** What a record's data is made of. */
const DATA: Readonly<Record<number, string>> = {
  1: "a:Address:4a",
  2: "ns:Name server:*n",
  5: "cname:Canonical name:*n",
  6: "soa.mname:Primary name server:*n;soa.rname:Mailbox:*n;soa.serial_number:Serial number:4;soa.refresh_interval:Refresh:4~s;soa.retry_interval:Retry:4~s;soa.expire_limit:Expire:4~s;soa.minimum_ttl:Minimum time to live:4~s",
  12: "ptr.domain_name:Domain name:*n",
  13: "hinfo.cpu:CPU:1p;hinfo.os:System:1p",
  15: "mx.preference:Preference:2;mx.mail_exchange:Mail exchange:*n",
  28: "aaaa:Address:16a",
  33: "srv.priority:Priority:2;srv.weight:Weight:2;srv.port:Port:2;srv.target:Target:*n",
  35: "naptr.order:Order:2;naptr.preference:Preference:2;naptr.flags:Flags:1p;naptr.service:Service:1p;naptr.regex:Expression:1p;naptr.replacement:Replacement:*n",
  39: "dname:Name:*n",
  43: "ds.key_id:Key:2x;ds.algorithm:Algorithm:1;ds.digest_type:Digest type:1;ds.digest:Digest:*o",
  44: "sshfp.algorithm:Algorithm:1;sshfp.fingerprint.type:Fingerprint type:1;sshfp.fingerprint:Fingerprint:*o",
  52: "tlsa.certificate_usage:Usage:1;tlsa.selector:Selector:1;tlsa.matching_type:Matching type:1;tlsa.certificate_association_data:Data:*o",
  64: "svcb.svcpriority:Priority:2;svcb.targetname:Target:*n",
  65: "svcb.svcpriority:Priority:2;svcb.targetname:Target:*n",
};
/** How many of them the row shows. */
const SHOWN: Readonly<Record<number, number>> = {
  13: 2,
  15: 2,
  33: 4,
  35: 3,
  43: 0,
  44: 0,
  52: 0,
  64: 0,
  65: 0,
};

/** Return the dissector of a protocol that is written as DNS is. */
export function dnsDissector(protocol: string, title: string): Dissector {
  return (to, start, end) => {
    to.protocol = protocol;
    dissect(to, protocol, title, start, end);
  };
}

/** DNS over TCP: a length before each message. */
export function dissectDnsOverTcp(to: Dissection, start: number, end: number): void {
  const said: string[] = [];
  for (let at = start; at < end && said.length < 100; ) {
    const stop = at + 2 + u16(to.bytes, at);
    if (stop < at + 14 || stop > end) {
      to.data(at, end);
      break;
    }
    to.protocol = "DNS";
    dissect(to, "DNS", DNS_TITLE, at + 2, stop, at);
    said.push(to.info);
    at = stop;
  }
  if (said.length > 0) to.info = said.join(", ");
}

export const DNS_TITLE = "Domain Name System";

function dissect(
  to: Dissection,
  protocol: string,
  title: string,
  start: number,
  end: number,
  first = start,
): void {
  const { bytes } = to;
  const layer = to.layer(protocol.toLowerCase(), title, first, end);
  if (first < start) layer.add("dns.length", "Length", first, start, end - start);
  to.message = start;
  to.info = "";
  const flags = u16(bytes, start + 2);
  const response = flags >> 15 === 1;
  const opcode = (flags >> 11) & 0xf;
  const names = opcode === 5 ? UPDATE_COUNTS : COUNTS;
  let table = FLAGS;
  if (protocol === "LLMNR") {
    table += `;flags.conflict:Conflict:2&400${TRUNCATED};flags.tentative:Tentative:2&100`;
  } else {
    table += (response ? AUTHORITATIVE : "") + TRUNCATED + RECURSION;
    if (response) table += ";flags.recavail:Recursion available:2&80";
    table += ";flags.z:Reserved:2&40";
    if (response || flags & 0x20) table += ";flags.authenticated:Authenticated:2&20";
    table += ";flags.checkdisable:Checking disabled:2&10";
  }
  if (response) table += RCODE;
  for (const [index, name] of names.entries()) table += `;count.${name}:${LABELS[index]}:2`;
  let at = lay(to, layer, "dns", start, end, table);

  const code = flags & 0xf;
  const codeName = nameOf("RCODE", code) ?? `Reply code ${code}`;
  const mdns = protocol === "MDNS";
  const kind = nameOf("DNSOP", opcode) ?? `Unknown operation (${opcode})`;
  const trouble = response && code !== 0 ? ` ${codeName}` : "";
  to.info = `${kind}${response ? " response" : ""} ${hex(u16(bytes, start), 4)}${trouble}`;
  layer.text = response ? `response, ${codeName.toLowerCase()}` : "query";
  for (let i = u16(bytes, start + 4); i > 0 && !isFull(layer, at, end); i--) {
    const name = readName(bytes, start, at, end);
    const shown = name.text || "<Root>";
    const type = u16(bytes, name.end);
    const query = layer.add(
      "",
      "Question",
      at,
      Math.min(name.end + 4, end),
      "",
      `${shown} ${typeName(type)}`,
    );
    // Where it leads nowhere there is no name; a loop is one of its own.
    if (name.trouble !== "" && !name.text.startsWith("<")) throw new Error(name.trouble);
    query.add("dns.qry.name", "Name", at, name.end, shown);
    query.add("dns.qry.name.len", "Name length", at, name.end, name.size < 0 ? 6 : name.size);
    query.add("dns.count.labels", "Labels", at, name.end, name.labels || 1);
    if (name.trouble !== "") throw new Error(name.trouble);
    at = addType(to, query, "qry", name.end, end, type, mdns);
    if (layer.fields.length < 9 || !layer.text.includes(", ", 10)) layer.text += `, ${query.text}`;
    to.info += ` ${typeName(type)} ${shown}`;
    if (mdns) to.info += `, "${u16(bytes, name.end + 2) & 0x8000 ? "QU" : "QM"}" question`;
  }
  for (const [section, label] of SECTIONS.entries()) {
    for (let i = u16(bytes, start + 6 + 2 * section); i > 0 && !isFull(layer, at, end); i--) {
      if (at >= end) throw SHORT;
      at = addRecord(to, layer, label, at, end, mdns);
    }
  }
}

/** Add the type and class of a question or record. */
function addType(
  to: Dissection,
  layer: Field,
  kind: string,
  at: number,
  end: number,
  type: number,
  mdns: boolean,
): number {
  if (at + 4 > end) throw SHORT;
  const number = u16(to.bytes, at + 2);
  const masked = mdns ? number & 0x7fff : number;
  layer.add(`dns.${kind}.type`, "Type", at, at + 2, type, `${typeName(type)} (${type})`);
  const text = masked === 1 ? "IN (1)" : String(masked);
  layer.add(`dns.${kind}.class`, "Class", at + 2, at + 4, masked, text);
  if (mdns) {
    const [name, label] =
      kind === "qry" ? ["qu", "Unicast answer"] : ["cache_flush", "Cache flush"];
    layer.add(`dns.${kind}.${name}`, label ?? "", at + 2, at + 3, number >= 0x8000);
  }
  return at + 4;
}

/** Add a record; return where it ends. */
function addRecord(
  to: Dissection,
  layer: Field,
  label: string,
  start: number,
  end: number,
  mdns: boolean,
): number {
  const { bytes } = to;
  const name = readName(bytes, to.message, start, end);
  const shown = name.text || "<Root>";
  const type = u16(bytes, name.end);
  const record = layer.add("", label, start, end, "", `${shown} ${typeName(type)}`);
  record.add("dns.resp.name", "Name", start, name.end, shown);
  if (name.trouble !== "") throw new Error(name.trouble);
  let at: number;
  if (type === OPT) {
    const table =
      "resp.type:Type:2=DNS;rr.udp_payload_size:UDP payload size:2;resp.ext_rcode:Reply code, upper bits:1x;resp.edns0_version:EDNS version:1;resp.z:Flags:2x;resp.z.do:DNSSEC answers accepted:2&8000";
    at = lay(to, record, "dns", name.end, end, table);
  } else {
    at = addType(to, record, "resp", name.end, end, type, mdns);
    at = lay(to, record, "dns", at, end, "resp.ttl:Time to live:4~s");
  }
  at = lay(to, record, "dns", at, end, "resp.len:Data length:2");
  const stop = at + u16(bytes, at - 2);
  to.info += ` ${typeName(type)}`;
  if (stop > end) throw SHORT;
  record.end = stop;
  const before = record.fields.length;
  const table = DATA[type];
  if (TXT.includes(type)) {
    const field = type === 16 ? "txt:Text:1p" : "spf:Text:1p";
    while (at < stop && !isFull(record, at, stop)) at = lay(to, record, "dns", at, stop, field);
  } else if (type === CAA) {
    const flags =
      "caa.flags:Flags:1x;caa.flags.issuer_critical:Critical:1&80;caa.tag_length:Tag length:1";
    const tag = lay(to, record, "dns", at, stop, flags);
    const value = tag + u8(bytes, tag - 1);
    lay(to, record, "dns", tag, stop, `caa.tag:Tag:${value - tag}s;caa.value:Value:*s`);
  } else if (table !== undefined) {
    lay(to, record, "dns", at, stop, table);
  }
  const data = record.fields.slice(before);
  const said = data.map(({ value }) => value);
  record.text += said.length > 0 ? ` ${said.join(" ")}` : ` ${stop - at} bytes`;
  // Wireshark shows addresses and names there, but not text.
  if (table !== undefined)
    to.info += said
      .slice(0, SHOWN[type] ?? 1)
      .map((one) => ` ${one}`)
      .join("");
  return stop;
}

function typeName(type: number): string {
  return type === CAA ? "CAA" : (nameOf("DNS", type) ?? `Unknown (${type})`);
}

/** Protocols of which the dashboard shows who speaks, and little else. */

import { hex, u8, u16, u24, utf8 } from "./bytes";
import { type Dissection, type Field, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { HTTP2 } from "./sniff";
import { isHello } from "./tls";

/** SSH (RFC 4253, section 4.2): the line that each side begins with. */
export function dissectSsh(to: Dissection, start: number, end: number): void {
  to.protocol = "SSH";
  const layer = to.layer("ssh", "SSH Protocol", start, end);
  let stop = start;
  while (stop < end && u8(to.bytes, stop) !== 13 && u8(to.bytes, stop) !== 10) stop++;
  const text = utf8(to.bytes, start, stop);
  layer.add("ssh.protocol", "Protocol", start, stop, text);
  to.info = `Protocol (${text})`;
  layer.text = text;
}

/** SMB 2 and 3 (MS-SMB2): the header of its first message. */
export function dissectSmb2(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "SMB2";
  const layer = to.layer("smb2", "Server Message Block Protocol version 2", start, end);
  const command = u8(bytes, start + 16);
  const response = (u8(bytes, start + 20) & 1) === 1;
  const table = `:Marker:4_;header_len:Header length:2l;:Credit:2_;${response ? "nt_status:Status:4L" : ":Channel:4_"};cmd:Command:2l=SMB2;:Credits:2_;flags:Flags:4L;:Next:4_;msg_id:Message:8l`;
  to.info = `${nameOf("SMB2", command) ?? `Command ${command}`} ${response ? "Response" : "Request"}`;
  layer.text = to.info;
  lay(to, layer, "smb2", start + 4, end, table);
}

/** How a client begins HTTP/2. */
export function dissectHttp2(to: Dissection, start: number, end: number): void {
  to.protocol = "HTTP2";
  const layer = to.layer("http2", "HyperText Transfer Protocol 2", start, end);
  const stop = start + HTTP2.length;
  layer.add("http2.magic", "Magic", start, stop, HTTP2, HTTP2.trim());
  to.info = layer.text = "Magic";
  if (stop < end) to.data(stop, end);
}

/** SNMP (RFC 1157, RFC 3416): version, community and what is asked; names are not decoded. */
export function dissectSnmp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "SNMP";
  const layer = to.layer("snmp", "Simple Network Management Protocol", start, end);
  let at = start;
  /** Return where the content of the next element begins, and behind its end. */
  const element = (): [start: number, end: number] => {
    const first = u8(bytes, at + 1);
    const size = first < 0x80 ? first : first === 0x81 ? u8(bytes, at + 2) : u16(bytes, at + 2);
    const body = at + (first < 0x80 ? 2 : first === 0x81 ? 3 : 4);
    if (body + size > end) throw new Error("an element ends too late");
    return [body, body + size];
  };
  if (u8(bytes, at) !== 0x30) throw new Error("no message");
  at = element()[0];
  const [from, to1] = element();
  const version = u8(bytes, to1 - 1);
  layer.add("snmp.version", "Version", from, to1, version, nameOf("SNMPV", version));
  at = to1;
  to.info = `version ${nameOf("SNMPV", version) ?? version}`;
  if (version > 1) return;
  const [name, to2] = element();
  layer.add("snmp.community", "Community", name, to2, utf8(bytes, name, to2));
  at = to2;
  const kind = u8(bytes, at) & 0x1f;
  const [body] = element();
  const said = nameOf("SNMP", kind) ?? `request ${kind}`;
  layer.add("snmp.data", "Kind", at, body, kind, said);
  to.info = layer.text = said;
}

/** A record of DTLS (RFC 9147). */
export function dissectDtls(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "DTLS";
  const layer = to.layer("dtls", "Datagram Transport Layer Security", start, end);
  const said: string[] = [];
  for (let at = start; at < end && said.length < 20; ) {
    const type = u8(bytes, at);
    const record = layer.add("dtls.record", "Record", at, end, "");
    const table =
      "content_type:Type:1=RECORD;version:Version:2x=TLS;epoch:Epoch:2;sequence_number:Sequence number:6;length:Length:2";
    const body = lay(to, record, "dtls.record", at, end, table);
    const shake =
      type === 22 && u16(bytes, at + 3) === 0 ? nameOf("HANDSHAKE", u8(bytes, body)) : undefined;
    record.text = shake ?? nameOf("RECORD", type) ?? "Unknown record";
    said.push(record.text);
    to.info = layer.text = said.join(", ");
    const stop = body + u16(bytes, body - 2);
    if (stop > end) throw SHORT;
    at = record.end = stop;
    if (shake !== undefined) addHandshake(to, record, body, stop, shake);
  }
}

function addHandshake(to: Dissection, record: Field, start: number, end: number, name: string) {
  const { bytes } = to;
  // Type, length, number, and which part of it this is (RFC 9147, section 5.2).
  if (start + 12 > end) throw SHORT;
  const [type, length] = [u8(bytes, start), u24(bytes, start + 1)];
  record.add("dtls.handshake.type", "Handshake", start, start + 1, type, name);
  record.add("dtls.handshake.length", "Length", start + 1, start + 4, length);
  const stop = start + 12 + u24(bytes, start + 9);
  const isWhole = stop === start + 12 + length;
  if (stop > end && start + 12 < end) throw SHORT;
  if (
    (type === 1 || type === 2) &&
    isWhole &&
    stop <= end &&
    !isHello(bytes, start + 12, stop, type, true)
  )
    throw SHORT;
}

/** Routing protocols: their kind of message, by the byte that tells it. */
export function dissectRouting(to: Dissection, protocol: number, start: number, end: number): void {
  const { bytes } = to;
  const [name, label, offset, mask, table] = ROUTING[protocol] ?? ["", "", 0, 0, ""];
  const layer = to.layer(name, label, start, end);
  to.protocol = name.toUpperCase();
  lay(to, layer, name, start, end, table);
  const kind = u8(bytes, start + offset) & mask;
  to.info = nameOf(name.toUpperCase(), kind) ?? `Type ${hex(kind, 2)}`;
  layer.text = to.info;
}

export const ROUTING: Readonly<
  Record<number, readonly [name: string, label: string, at: number, mask: number, table: string]>
> = {
  89: [
    "ospf",
    "Open Shortest Path First",
    1,
    255,
    "version:Version:1;msg:Message:1=OSPF;packet_length:Length:2;srcrouter:Source router:4a;area_id:Area:4a",
  ],
  103: [
    "pim",
    "Protocol Independent Multicast",
    0,
    15,
    "version:Version:^1&f0;type:Type:^1&f=PIM;:Type:1_",
  ],
  112: [
    "vrrp",
    "Virtual Router Redundancy Protocol",
    0,
    15,
    "version:Version:^1&f0;type:Type:^1&f=VRRP;:Type:1_;virt_rtr_id:Virtual router:1;prio:Priority:1",
  ],
};

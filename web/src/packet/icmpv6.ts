/** ICMPv6 (RFC 4443), Neighbour Discovery (RFC 4861) and MLD (RFC 2710, RFC 3810). */

import { ipv6Text } from "./address";
import { hex, octets, u8, u16 } from "./bytes";
import {
  addChecksum,
  type Dissection,
  type Dissector,
  type Field,
  isFull,
  SHORT,
} from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { transportChecksum } from "./transport";

const ECHO = "echo.identifier:Identifier:2;echo.sequence_number:Sequence number:2";
const MLD =
  "mld.maximum_response_delay:Longest wait:2~ms;:Reserved:2_;mld.multicast_address:Group:16a";
const ADVERTISEMENT =
  "nd.ra.cur_hop_limit:Hop limit for hosts:1;nd.ra.flag:Flags:1x;nd.ra.flag.m:Managed addresses:1&80;nd.ra.flag.o:Other configuration:1&40;nd.ra.flag.h:Home agent:1&20;nd.ra.flag.prf:Preference:1&18;nd.ra.router_lifetime:Router lifetime:2~s;nd.ra.reachable_time:Reachable time:4~ms;nd.ra.retrans_timer:Retransmission timer:4~ms";
const NEIGHBOUR =
  "nd.na.flag:Flags:4x;nd.na.flag.r:Router:4&80000000;nd.na.flag.s:Solicited:4&40000000;nd.na.flag.o:Override:4&20000000;nd.na.target_address:Target:16a";
/** What follows the checksum. */
const BODIES: Readonly<Record<number, string>> = {
  1: ":Reserved:4_",
  2: "mtu:MTU:4",
  3: ":Reserved:4_",
  4: "pointer:Pointer:4",
  128: ECHO,
  129: ECHO,
  130: MLD,
  131: MLD,
  132: MLD,
  133: ":Reserved:4_",
  134: ADVERTISEMENT,
  135: ":Reserved:4_;nd.ns.target_address:Target:16a",
  136: NEIGHBOUR,
  137: ":Reserved:4_;rd.na.target_address:Target:16a;rd.na.destination_address:Destination:16a",
  141: ":Reserved:4_",
  142: ":Reserved:4_",
  143: ":Reserved:2_;mldr.nb_mcast_records:Records:2",
};
/** What the options of Neighbour Discovery hold. */
const OPTIONS: Readonly<Record<number, string>> = {
  1: "linkaddr:Link-layer address:6o",
  2: "linkaddr:Link-layer address:6o",
  3: "prefix.length:Prefix length:1;prefix.flag:Flags:1x;prefix.flag.l:On link:1&80;prefix.flag.a:For addresses:1&40;prefix.valid_lifetime:Valid lifetime:4~s;prefix.preferred_lifetime:Preferred lifetime:4~s;:Reserved:4_;prefix:Prefix:16a",
  5: ":Reserved:2_;mtu:MTU:4",
  14: "nonce:Nonce:6o",
};

/** Return the dissector; `quoted` decodes the packet that an error carries. */
export function icmpv6Dissector(quoted: Dissector): Dissector {
  return (to, start, end) => {
    const { bytes } = to;
    to.protocol = "ICMPv6";
    if (end - start < 4) {
      const layer = to.truncated("icmpv6", "ICMPv6", start, end);
      if (end - start >= 2) lay(to, layer, "icmpv6", start, end, "type:Type:1;code:Code:1");
      return;
    }
    const type = u8(bytes, start);
    const code = u8(bytes, start + 1);
    const layer = to.layer("icmpv6", "Internet Control Message Protocol v6", start, end);
    const name = nameOf("ICMPV6", type) ?? `Unknown (${type})`;
    let codeName = nameOf(`ICMPV6${type}`, code);
    if (type === 1 || type === 3 || type === 4) codeName ??= `Unknown code: ${code}`;
    layer.text = codeName ?? name;
    layer.add("icmpv6.type", "Type", start, start + 1, type, `${type} (${name})`);
    const codeText = codeName === undefined ? String(code) : `${code} (${codeName})`;
    layer.add("icmpv6.code", "Code", start + 1, start + 2, code, codeText);
    const expected = transportChecksum(to, 58, start, end, 2);
    addChecksum(layer, "icmpv6", start + 2, u16(bytes, start + 2), expected);
    to.info = codeName === undefined ? name : `${name} (${codeName})`;
    let body = start + 4;
    const table = BODIES[type];
    if (table !== undefined) body = lay(to, layer, "icmpv6", body, end, table);
    if (type < 5 && type > 0) {
      layer.end = body;
      quoted(to, body, end);
    } else if (type === 128 || type === 129) {
      layer.end = body;
      addEcho(to, layer, name, start);
      to.data(body, end);
    } else if (table === MLD) {
      addQuery(to, layer, type, body, end);
    } else if (type >= 133 && type < 143 && table !== undefined) {
      addNeighbour(to, layer, type, start, end, body);
    } else if (type === 143) addRecords(to, layer, body, end);
  };
}

function addEcho(to: Dissection, layer: Field, name: string, start: number): void {
  const id = u16(to.bytes, start + 4);
  const sequence = u16(to.bytes, start + 6);
  layer.text = `${name}, identifier ${id}, sequence ${sequence}`;
  const ip = to.layers.findLast((one) => one.name === "ipv6");
  const limit = ip?.fields.find((field) => field.name === "ipv6.hlim")?.value ?? 0;
  to.info = `${name} id=${hex(id, 4)}, seq=${sequence}, hop limit=${limit}`;
}

function addQuery(to: Dissection, layer: Field, type: number, body: number, end: number): void {
  const group = ipv6Text(to.bytes, body - 16);
  // A query to every group names none.
  if (type !== 130 || group !== "::") layer.text += ` for ${group}`;
  if (type !== 130 || end < body + 4) return;
  const table =
    "flag:Flags:1x;flag.s:Suppress router side:1&8;flag.qrv:Robustness:1&7;qqi:Query interval:1~s;nb_sources:Sources:2";
  let at = lay(to, layer, "icmpv6.mld", body, end, table);
  while (at + 16 <= end && !isFull(layer, at, end)) {
    at = lay(to, layer, "icmpv6.mld", at, end, "source_address:Source:16a");
  }
}

function addNeighbour(
  to: Dissection,
  layer: Field,
  type: number,
  start: number,
  end: number,
  options: number,
): void {
  const { bytes } = to;
  const target = ipv6Text(bytes, start + 8);
  if (type >= 135 && type < 138) layer.text += `, ${target}`;
  if (type === 136) {
    const flags = u8(bytes, start + 4);
    const said = ["rtr", "sol", "ovr"].filter((_, bit) => (flags << bit) & 0x80).join(", ");
    to.info += ` ${target} (${said || "none"})`;
  } else if (type === 135) to.info += ` for ${target}`;
  const address = addOptions(to, layer, options, end);
  if (address) to.info += type === 136 ? ` is at ${address}` : ` from ${address}`;
}

/** Add the options; return the link-layer address among them, "" without one. */
function addOptions(to: Dissection, layer: Field, start: number, end: number): string {
  const { bytes } = to;
  let address = "";
  for (let at = start; at < end && !isFull(layer, at, end); ) {
    const type = u8(bytes, at);
    const size = u8(bytes, at + 1) * 8;
    const stop = at + size;
    const name = nameOf("ND", type) ?? `Option ${type}`;
    const option = layer.add("icmpv6.opt.type", "Option", at, Math.min(stop, end), type, name);
    const body = lay(to, option, "icmpv6.opt", at + 1, end, "length:Length:1");
    if (size === 0) throw new Error("an option has no length");
    if (stop > end) throw new Error("an option ends too late");
    const table = OPTIONS[type];
    if (table !== undefined) lay(to, option, "icmpv6.opt", body, stop, table);
    if (type === 1 || type === 2) address = octets(bytes, at + 2, at + 8);
    at = stop;
  }
  return address;
}

function addRecords(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  const table =
    "record_type:Kind:1=MLDR;aux_data_len:Auxiliary data:1;nb_sources:Sources:2;multicast_address:Group:16a";
  let at = start;
  for (let i = u16(bytes, start - 2); i > 0 && !isFull(layer, at, end); i--) {
    if (at >= end) throw SHORT;
    const group = ipv6Text(bytes, at + 4);
    const record = layer.add("icmpv6.mldr.mar", "Record", at, end, "", group);
    const stop = at + 20 + u16(bytes, at + 2) * 16 + u8(bytes, at + 1) * 4;
    at = lay(to, record, "icmpv6.mldr.mar", at, end, table);
    while (at + 16 <= Math.min(stop, end) && !isFull(record, at, end)) {
      at = lay(to, record, "icmpv6.mldr.mar", at, end, "source_address:Source:16a");
    }
    at = stop;
    record.end = Math.min(stop, end);
  }
}

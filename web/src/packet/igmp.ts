/** IGMP (RFC 1112, RFC 2236, RFC 3376): which groups a host listens to. */

import { ipv4Text } from "./address";
import { u8, u16 } from "./bytes";
import { checksum } from "./checksum";
import { addChecksum, type Dissection, type Field, isFull, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { wholePacket } from "./transport";

const QUERY = 17;
const LEAVE = 23;
const REPORT3 = 34;
/** Routing protocols with messages of this kind (RFC 1075). */
const OTHERS: Readonly<Record<number, string>> = { 19: "dvmrp", 20: "pim" };

export function dissectIgmp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const type = u8(bytes, start);
  const third = type === REPORT3 || (type === QUERY && end - start >= 12);
  const first = type === 18 || (type === QUERY && u8(bytes, start + 1) === 0);
  const version = third ? 3 : first ? 1 : 2;
  const known = nameOf("IGMP", type);
  const other = OTHERS[type];
  const layer = to.layer(other ?? "igmp", "Internet Group Management Protocol", start, end);
  to.protocol = known === undefined || other !== undefined ? "IGMP" : `IGMPv${version}`;
  to.info = layer.text = known ?? `Unknown type ${type}`;
  if (other !== undefined) return;
  if (known === undefined) {
    lay(to, layer, "igmp", start, end, "type:Type:1x");
    return;
  }
  const wait =
    first || type === REPORT3 ? "reserved:Reserved:1o" : "max_resp:Longest wait:1~/ 10 s";
  lay(to, layer, "igmp", start, end, `type:Type:1x=IGMP;${wait};:Checksum:2_`);
  layer.add("igmp.version", "Version", start, start + 1, version);
  const found = u16(bytes, start + 2);
  const whole = wholePacket(to, end) !== undefined;
  const expected = whole ? checksum(bytes, start, end, 0xffff - found) : null;
  addChecksum(layer, "igmp", start + 2, found, expected);
  if (type === REPORT3) addRecords(to, layer, start, end);
  else {
    const group = ipv4Text(bytes, start + 4);
    lay(to, layer, "igmp", start + 4, end, "maddr:Group:4a");
    if (!first && type === QUERY) {
      to.info += group === "0.0.0.0" ? ", general" : `, specific for group ${group}`;
    } else if (!first) to.info += type === LEAVE ? ` ${group}` : ` group ${group}`;
    if (type === QUERY && third) {
      const table =
        "s:Suppress router side:^1&8;qrv:Robustness:^1&7;:Flags:1_;qqic:Query interval:1~s;num_src:Sources:2";
      const at = lay(to, layer, "igmp", start + 8, end, table);
      addSources(to, layer, at, end, u16(bytes, start + 10));
    }
  }
  layer.text = to.info;
}

function addRecords(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  const count = u16(bytes, start + 6);
  let at = lay(to, layer, "igmp", start + 4, end, "reserved:Reserved:2o;num_grp_recs:Records:2");
  for (let i = 0; i < count && !isFull(layer, at, end); i++) {
    if (at >= end) throw SHORT;
    const kind = u8(bytes, at);
    const sources = u16(bytes, at + 2);
    const group = ipv4Text(bytes, at + 4);
    const record = layer.add("", "Record", at, end, "", group);
    const auxiliary = u8(bytes, at + 1) * 4;
    const table =
      "record_type:Kind:1=MLDR;aux_data_len:Auxiliary data:1;num_src:Sources:2;maddr:Group:4a";
    at = addSources(to, record, lay(to, record, "igmp", at, end, table), end, sources) + auxiliary;
    record.end = Math.min(at, end);
    to.info += ` / ${recordText(kind, group, record)}`;
  }
}

/** Say what a record wants, as Wireshark does. */
function recordText(kind: number, group: string, record: Field): string {
  const sources = record.fields.filter(({ name }) => name === "igmp.saddr");
  const list = `{${sources.map(({ text }) => text).join(", ")}}`;
  const many = sources.length === 1 ? "source" : "sources";
  const within = sources.length === 1 ? "" : "in ";
  if (kind > 4) return `Group ${group}, ${kind === 5 ? "new" : "block"} ${many} ${list}`;
  if (kind % 2) {
    return sources.length === 0
      ? `Leave group ${group}`
      : `Join group ${group} for ${many} ${within}${list}`;
  }
  return sources.length === 0
    ? `Join group ${group} for any sources`
    : `Join group ${group}, for ${many} not ${within}${list}`;
}

function addSources(
  to: Dissection,
  layer: Field,
  start: number,
  end: number,
  count: number,
): number {
  let at = start;
  for (let i = 0; i < count && !isFull(layer, at, end); i++) {
    at = lay(to, layer, "igmp", at, end, "saddr:Source:4a");
  }
  return start + 4 * count;
}

/** DHCPv6 (RFC 8415). */

import { hex, octets, u8, u16, u24 } from "./bytes";
import { type Dissection, type Field, isFull, SHORT } from "./dissection";
import { readName } from "./labels";
import { lay } from "./layout";
import { nameOf } from "./names";

const RELAYED = 9;

/** What stands at the head of an option; what follows it may be options again. */
const OPTIONS: Readonly<Record<number, string>> = {
  3: "iaid:Identity:4o;iaid.t1:T1:4~s;iaid.t2:T2:4~s",
  4: "iata:Identity:4o",
  5: "iaaddr.ip:Address:16a;iaaddr.pref_lifetime:Preferred lifetime:4~s;iaaddr.valid_lifetime:Valid lifetime:4~s",
  7: "option_preference:Preference:1",
  13: "status_code:Status:2;status_msg:Message:*s",
  25: "iaid:Identity:4o;iaid.t1:T1:4~s;iaid.t2:T2:4~s",
  26: "iaprefix.pref_lifetime:Preferred lifetime:4~s;iaprefix.valid_lifetime:Valid lifetime:4~s;iaprefix.pref_len:Prefix length:1;iaprefix.pref_addr:Prefix:16a",
};
const LISTS: Readonly<Record<number, string>> = {
  6: "requested_option_code:Requested:2=DHCPV6OPT",
  23: "dns_server:Name server:16a",
};
const NESTED = [3, 4, 5, 25, 26];

export function dissectDhcpv6(to: Dissection, start: number, end: number): void {
  to.protocol = "DHCPv6";
  to.info = "";
  dissect(to, start, end, 0);
}

function dissect(to: Dissection, start: number, end: number, depth: number): void {
  const { bytes } = to;
  const layer = to.layer("dhcpv6", "DHCPv6", start, end);
  const type = u8(bytes, start);
  const name = nameOf("DHCPV6", type) ?? `Message Type ${type}`;
  const relay = type === 12 || type === 13;
  const table = relay
    ? "hopcount:Hops:1;linkaddr:Link address:16a;peeraddr:Peer address:16a"
    : "xid:Transaction:3x";
  to.info += `${to.info && " "}${name}`;
  const at = lay(to, layer, "dhcpv6", start, end, `msgtype:Message:1=DHCPV6;${table}`);
  const said = relay ? ` L: ${layer.fields[2]?.text}` : ` XID: ${hex(u24(bytes, start + 1), 6)}`;
  layer.text = name + said;
  to.info += said;
  addOptions(to, layer, at, end, depth);
}

function addOptions(to: Dissection, layer: Field, start: number, end: number, depth: number): void {
  const { bytes } = to;
  for (let at = start; at < end && !isFull(layer, at, end); ) {
    const type = u16(bytes, at);
    const stop = at + 4 + u16(bytes, at + 2);
    const name = nameOf("DHCPV6OPT", type) ?? `Option ${type}`;
    const option = layer.add("", name, at, Math.min(stop, end), "", `${stop - at - 4} bytes`);
    if (stop > end) throw SHORT;
    const head = "option.type:Option:2=DHCPV6OPT;option.length:Length:2";
    let body = lay(to, option, "dhcpv6", at, end, head);
    at = stop;
    const table = OPTIONS[type];
    if (table !== undefined) {
      body = lay(to, option, "dhcpv6", body, stop, table);
      option.text = option.fields.at(type === 26 ? -1 : 2)?.text ?? "";
    }
    const list = LISTS[type];
    if (list !== undefined) {
      while (body < stop && !isFull(option, body, stop))
        body = lay(to, option, "dhcpv6", body, stop, list);
      option.text = option.fields
        .slice(2)
        .map((field) => field.text)
        .join(", ");
    } else if (type === 1 || type === 2) {
      addIdentity(to, option, body, stop);
      const identity = octets(bytes, body, stop).replaceAll(":", "");
      if (type === 1) to.info += ` CID: ${identity}`;
    } else if (type === 8 && stop === body + 2) {
      const waited = u16(bytes, body) * 10;
      option.text = `${waited} ms`;
      option.add("dhcpv6.elapsed_time", "Elapsed time", body, stop, waited, option.text);
    } else if (type === RELAYED && depth < 8) {
      dissect(to, body, stop, depth + 1);
    } else if (type === 24 || type === 39) {
      if (type === 39) body = lay(to, option, "dhcpv6", body, stop, "client_fqdn_flags:Flags:1x");
      const field = type === 39 ? "client_domain" : "search_list_entry";
      while (body < stop && !isFull(option, body, stop)) {
        const name = readName(bytes, body, body, stop);
        option.text = `${name.text}.`;
        option.add(`dhcpv6.${field}`, "Name", body, name.end, option.text);
        body = name.end;
      }
    } else if (NESTED.includes(type) && depth < 8) {
      if (type === 5) layer.text += `, ${option.fields[2]?.text ?? ""}`;
      if (type === 5) to.info += ` IAA: ${option.fields[2]?.text ?? ""}`;
      addOptions(to, option, body, stop, depth + 1);
    }
  }
}

/** Add a DUID (RFC 8415, section 11). */
function addIdentity(to: Dissection, option: Field, start: number, end: number): void {
  option.text = octets(to.bytes, start, end);
  option.add("dhcpv6.duid.bytes", "Identifier", start, end, option.text);
  const at = lay(to, option, "dhcpv6", start, end, "duid.type:Kind:2=DUID");
  const kind = u16(to.bytes, start);
  const address = "hwtype:Hardware:2;";
  if (kind === 3) {
    lay(to, option, "dhcpv6.duidll", at, end, `${address}link_layer_addr:Link-layer address:*o`);
  } else if (kind === 1) {
    const table = `${address}:Time:4_;link_layer_addr:Link-layer address:*o`;
    lay(to, option, "dhcpv6.duidllt", at, end, table);
  }
}

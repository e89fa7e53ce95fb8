/** DHCP (RFC 2131) and the options people look for (RFC 2132). */

import { hex, u8, u32 } from "./bytes";
import { type Dissection, isFull, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const FIXED = 236;
const COOKIE = 0x63825363;
const HEAD =
  "type:Operation:1=BOOTP;hw.type:Hardware type:1x;hw.len:Hardware address length:1;hops:Hops:1;id:Transaction:4x;secs:Seconds:2;flags:Flags:2x;flags.bc:Broadcast:2&8000;ip.client:Client address:4a;ip.your:Your address:4a;ip.server:Next server:4a;ip.relay:Relay:4a";
const OPTIONS: Readonly<Record<number, string>> = {
  1: "subnet_mask:Subnet mask:4a",
  3: "router:Router:4a",
  6: "domain_name_server:Name server:4a",
  12: "hostname:Host name:*s",
  15: "domain_name:Domain name:*s",
  50: "requested_ip_address:Address:4a",
  51: "ip_address_lease_time:Lease:4~s",
  53: "dhcp:Message:1=DHCP",
  54: "dhcp_server_id:Server:4a",
  55: "request_list_item:Asked for:1=DHCPOPT",
  58: "renewal_time_value:Renewal:4~s",
  59: "rebinding_time_value:Rebinding:4~s",
  60: "vendor_class_id:Vendor:*s",
};

export function dissectDhcp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "DHCP";
  const layer = to.layer("dhcp", "Dynamic Host Configuration Protocol", start, end);
  let kind = u8(bytes, start) === 1 ? "Boot Request" : "Boot Reply";
  to.info = kind;
  const head = lay(to, layer, "dhcp", start, end, HEAD);
  if (u8(bytes, start + 2) === 6) {
    const address = "hw.mac_addr:Hardware address:6o;hw.addr_padding:Padding:10o";
    lay(to, layer, "dhcp", head, end, address);
  }
  let at = start + FIXED;
  if (at > end) throw SHORT;
  if (u32(bytes, at) === COOKIE && at + 4 <= end) {
    for (
      at = lay(to, layer, "dhcp", at, end, "cookie:Magic cookie:4a");
      !isFull(layer, at, end);
    ) {
      if (at >= end) break;
      const code = u8(bytes, at);
      if (code === 0) {
        at++;
        continue;
      }
      if (code === 255) {
        const field = layer.add("dhcp.option.type", "End", at, at + 1, code);
        field.add("dhcp.option.end", "End", at, at + 1, code);
        break;
      }
      const stop = at + 2 + u8(bytes, at + 1);
      const name = nameOf("DHCPOPT", code) ?? `Option ${code}`;
      const option = layer.add("dhcp.option.type", name, at, Math.min(stop, end), code);
      let body = lay(to, option, "dhcp", at, end, ":Option:1_;option.length:Length:1");
      if (stop > end) throw SHORT;
      const table = OPTIONS[code];
      while (table !== undefined && body < stop && !isFull(option, body, stop)) {
        body = lay(to, option, "dhcp.option", body, stop, table);
      }
      const shown = option.fields.slice(1).map(({ text }) => text);
      option.text = shown.join(", ") || `${stop - at - 2} bytes`;
      if (code === 53) kind = nameOf("DHCP", u8(bytes, at + 2)) ?? kind;
      if (code === 61 && stop >= at + 9) {
        lay(
          to,
          option,
          "dhcp.hw",
          at + 2,
          stop,
          "type:Hardware type:1x;mac_addr:Hardware address:6o",
        );
      }
      at = stop;
    }
  }
  const id = u32(bytes, start + 4);
  layer.text = `${kind}, transaction ${hex(id, 8)}`;
  to.info = kind.startsWith("Boot")
    ? kind
    : `DHCP ${kind.padEnd(8)} - Transaction ID ${hex(id, 0)}`;
}

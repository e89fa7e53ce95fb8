/** ICMPv6 (RFC 4443), Neighbour Discovery (RFC 4861) and MLD (RFC 2710, RFC 3810). */

import { ipv6Text } from "./address";
import { hexDigits, u8, u16, u32 } from "./bytes";
import {
  addChecksum,
  addNumber,
  type Dissection,
  type Dissector,
  type Field,
  isFull,
} from "./dissection";
import { addPointer } from "./icmp";
import { ICMPV6_CODES, ICMPV6_TYPES } from "./names";
import { transportChecksum } from "./transport";

/** Return the dissector; `quoted` decodes the packet that an error carries. */
export function icmpv6Dissector(quoted: Dissector): Dissector {
  return (to, start, end) => {
    const { bytes } = to;
    to.protocol = "ICMPv6";
    if (end - start < 4) {
      to.truncated("icmpv6", "ICMPv6", start);
      return;
    }
    const type = u8(bytes, start);
    const code = u8(bytes, start + 1);
    const layer = to.layer("icmpv6", "Internet Control Message Protocol v6", start, end);
    const name = ICMPV6_TYPES[type] ?? `Unknown (${type})`;
    const codeName = ICMPV6_CODES[type]?.[code];
    layer.text = codeName ?? name;
    layer.add("icmpv6.type", "Type", start, start + 1, type, `${type} (${name})`);
    layer.add(
      "icmpv6.code",
      "Code",
      start + 1,
      start + 2,
      code,
      codeName ? `${code} (${codeName})` : String(code),
    );
    const expected = transportChecksum(to, 58, start, end, 2);
    addChecksum(layer, "icmpv6", start + 2, u16(bytes, start + 2), expected);
    to.info = codeName === undefined ? name : `${name} (${codeName})`;
    if (end - start < (LEAST[type] ?? 4)) {
      to.info = `[Truncated ${name}]`;
      return;
    }
    if (type >= 1 && type <= 4) {
      layer.end = Math.min(start + 8, end);
      if (type === 2) addPointer(to, "icmpv6.mtu", "MTU", start + 4);
      if (type === 4) addPointer(to, "icmpv6.pointer", "Pointer", start + 4);
      quoted(to, start + 8, end);
    } else if (type === 128 || type === 129) {
      addEcho(to, layer, name, start, end);
    } else if (type >= 130 && type <= 132) {
      addMulticast(to, layer, type, start, end);
    } else if (type >= 133 && type <= 137) {
      addNeighbourDiscovery(to, layer, type, start, end);
    } else if (type === 143) {
      addNumber(layer, "icmpv6.mldr.nb_mcast_records", "Records", u16, bytes, start + 6, 2);
      addRecords(layer, bytes, start + 8, end);
    }
  };
}

// Bytes of a message before its options.
const LEAST: Readonly<Record<number, number>> = {
  1: 8,
  2: 8,
  3: 8,
  4: 8,
  128: 8,
  129: 8,
  130: 24,
  131: 24,
  132: 24,
  133: 8,
  134: 16,
  135: 24,
  136: 24,
  137: 40,
  143: 8,
};

function addEcho(to: Dissection, layer: Field, name: string, start: number, end: number): void {
  const { bytes } = to;
  layer.end = start + 8;
  const id = u16(bytes, start + 4);
  layer.add(
    "icmpv6.echo.identifier",
    "Identifier",
    start + 4,
    start + 6,
    id,
    `${id} (0x${id.toString(16).padStart(4, "0")})`,
  );
  const sequence = addNumber(
    layer,
    "icmpv6.echo.sequence_number",
    "Sequence number",
    u16,
    bytes,
    start + 6,
    2,
  );
  layer.text = `${name}, identifier ${id}, sequence ${sequence}`;
  const ip = to.layers.findLast((one) => one.name === "ipv6");
  const limit = ip?.fields.find((field) => field.name === "ipv6.hlim")?.value ?? 0;
  to.info = `${name} id=0x${id.toString(16).padStart(4, "0")}, seq=${sequence}, hop limit=${limit}`;
  to.data(start + 8, end);
}

function addMulticast(
  to: Dissection,
  layer: Field,
  type: number,
  start: number,
  end: number,
): void {
  const { bytes } = to;
  addNumber(
    layer,
    "icmpv6.mld.maximum_response_delay",
    "Maximum response delay",
    u16,
    bytes,
    start + 4,
    2,
  );
  const group = ipv6Text(bytes, start + 8);
  layer.add("icmpv6.mld.multicast_address", "Multicast address", start + 8, start + 24, group);
  layer.end = end;
  // A query to every group names none.
  if (type !== 130 || group !== "::") layer.text += ` for ${group}`;
}

function addNeighbourDiscovery(
  to: Dissection,
  layer: Field,
  type: number,
  start: number,
  end: number,
): void {
  const { bytes } = to;
  const options = start + (LEAST[type] ?? 8);
  if (type === 134) {
    addNumber(layer, "icmpv6.nd.ra.cur_hop_limit", "Hop limit for hosts", u8, bytes, start + 4, 1);
    const flags = u8(bytes, start + 5);
    const field = layer.add(
      "icmpv6.nd.ra.flag",
      "Flags",
      start + 5,
      start + 6,
      flags,
      `0x${flags.toString(16).padStart(2, "0")}`,
    );
    field.add(
      "icmpv6.nd.ra.flag.m",
      "Managed addresses",
      start + 5,
      start + 6,
      (flags & 0x80) !== 0,
    );
    field.add(
      "icmpv6.nd.ra.flag.o",
      "Other configuration",
      start + 5,
      start + 6,
      (flags & 0x40) !== 0,
    );
    const life = u16(bytes, start + 6);
    layer.add(
      "icmpv6.nd.ra.router_lifetime",
      "Router lifetime",
      start + 6,
      start + 8,
      life,
      `${life} s`,
    );
    addNumber(layer, "icmpv6.nd.ra.reachable_time", "Reachable time, ms", u32, bytes, start + 8, 4);
    addNumber(
      layer,
      "icmpv6.nd.ra.retrans_timer",
      "Retransmission timer, ms",
      u32,
      bytes,
      start + 12,
      4,
    );
  } else if (type === 135 || type === 136 || type === 137) {
    const target = ipv6Text(bytes, start + 8);
    const names = { 135: "ns", 136: "na", 137: "rd" } as const;
    const kind = names[type];
    if (type === 136) {
      const flags = u8(bytes, start + 4);
      layer.add("icmpv6.nd.na.flag.r", "Router", start + 4, start + 5, (flags & 0x80) !== 0);
      layer.add("icmpv6.nd.na.flag.s", "Solicited", start + 4, start + 5, (flags & 0x40) !== 0);
      layer.add("icmpv6.nd.na.flag.o", "Override", start + 4, start + 5, (flags & 0x20) !== 0);
      const said = ["rtr", "sol", "ovr"].filter((_, bit) => (flags << bit) & 0x80).join(", ");
      to.info += ` ${target} (${said || "none"})`;
    } else if (type === 135) to.info += ` for ${target}`;
    layer.add(`icmpv6.nd.${kind}.target_address`, "Target", start + 8, start + 24, target);
    if (type === 137) {
      const destination = ipv6Text(bytes, start + 24);
      layer.add(
        "icmpv6.rd.na.destination_address",
        "Destination",
        start + 24,
        start + 40,
        destination,
      );
    }
    layer.text = `${layer.text}, ${target}`;
  }
  const address = addOptions(layer, bytes, options, end);
  if (address) to.info += type === 136 ? ` is at ${address}` : ` from ${address}`;
}

/** Add the options; return the link-layer address among them, "" without one. */
function addOptions(layer: Field, bytes: Uint8Array, start: number, end: number): string {
  let address = "";
  for (let at = start; at + 8 <= end && !isFull(layer, at, end); ) {
    const type = u8(bytes, at);
    const size = u8(bytes, at + 1) * 8;
    if (size === 0 || at + size > end) break;
    const option = layer.add(
      "icmpv6.opt.type",
      "Option",
      at,
      at + size,
      type,
      OPTIONS[type] ?? `Option ${type}`,
    );
    if (type === 1 || type === 2) {
      address = (hexDigits(bytes, at + 2, at + 8).match(/../g) ?? []).join(":");
      option.add("icmpv6.opt.linkaddr", "Link-layer address", at + 2, at + size, address);
    } else if (type === 3) {
      const length = u8(bytes, at + 2);
      option.add("icmpv6.opt.prefix.length", "Prefix length", at + 2, at + 3, length);
      option.add("icmpv6.opt.prefix", "Prefix", at + 16, at + 32, ipv6Text(bytes, at + 16));
    } else if (type === 5) addNumber(option, "icmpv6.opt.mtu", "MTU", u32, bytes, at + 4, 4);
    at += size;
  }
  return address;
}

const OPTIONS: Readonly<Record<number, string>> = {
  1: "Source link-layer address",
  2: "Target link-layer address",
  3: "Prefix information",
  4: "Redirected header",
  5: "MTU",
  14: "Nonce",
  24: "Route information",
  25: "Recursive DNS server",
  31: "DNS search list",
};

function addRecords(layer: Field, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at + 20 <= end && !isFull(layer, at, end); ) {
    const size = 20 + u16(bytes, at + 2) * 16 + u8(bytes, at + 1) * 4;
    const group = ipv6Text(bytes, at + 4);
    layer
      .add(
        "icmpv6.mldr.mar.record_type",
        "Record",
        at,
        Math.min(at + size, end),
        u8(bytes, at),
        group,
      )
      .add("icmpv6.mldr.mar.multicast_address", "Multicast address", at + 4, at + 20, group);
    at += size;
  }
}

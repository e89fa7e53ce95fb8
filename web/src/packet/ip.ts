/** IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers. */

import { ipv4Text, ipv6Text } from "./address";
import { hex, u8, u16, u32 } from "./bytes";
import { checksum } from "./checksum";
import {
  addChecksum,
  addNumber,
  type Dissection,
  type Dissector,
  type Field,
  isFull,
  SHORT,
} from "./dissection";
import { extensionSize, goal4, goal6, isExtension, STANDING } from "./headers";
import { lay } from "./layout";
import { nameOf, protocolName } from "./names";

/** Finds the dissector of an IP protocol number. */
export type Upper = (protocol: number) => Dissector | undefined;

export function dissectIpv4(to: Dissection, start: number, end: number, upper: Upper): void {
  const { bytes } = to;
  const header = (u8(bytes, start) & 0xf) * 4;
  to.protocol = "IPv4";
  if (end - start < 20) {
    to.truncated("ip", "IPv4", start);
    return;
  }
  const layer = to.layer("ip", "Internet Protocol Version 4", start, start + header);
  const whole = header >= 20 && start + header <= end;
  const total = u16(bytes, start + 2);
  const routed = whole && header > 20 && (total === 0 || total >= header);
  to.goal = routed ? goal4(bytes, start, start + header) : start + 16;
  to.source = ipv4Text(bytes, start + 12);
  to.destination = ipv4Text(bytes, to.goal);
  layer.text = `${to.source} → ${to.destination}`;
  layer.add("ip.version", "Version", start, start + 1, 4);
  layer.add("ip.hdr_len", "Header length", start, start + 1, header, `${header} bytes`);
  addTrafficClass(layer, "ip", start + 1, start + 2, u8(bytes, start + 1));
  const there = to.promised - start;
  addLength(layer, "ip.len", "Total length", start + 2, total, there);
  const id = u16(bytes, start + 4);
  layer.add("ip.id", "Identification", start + 4, start + 6, id, hex(id, 4));
  const word = u16(bytes, start + 6);
  const offset = (word & 0x1fff) * 8;
  const more = (word & 0x2000) !== 0;
  const flags = layer.add(
    "ip.flags",
    "Flags",
    start + 6,
    start + 7,
    word >> 13,
    (word & 0x4000 ? "Don't fragment" : "") + (more ? "More fragments" : "") || "none",
  );
  flags.add("ip.flags.rb", "Reserved", start + 6, start + 7, (word & 0x8000) !== 0);
  flags.add("ip.flags.df", "Don't fragment", start + 6, start + 7, (word & 0x4000) !== 0);
  flags.add("ip.flags.mf", "More fragments", start + 6, start + 7, more);
  layer.add(
    "ip.frag_offset",
    "Fragment offset",
    start + 6,
    start + 8,
    offset >> 3,
    `${offset} bytes`,
  );
  addNumber(layer, "ip.ttl", "Time to live", u8, bytes, start + 8, 1);
  const protocol = u8(bytes, start + 9);
  const name = protocolName(protocol);
  layer.add("ip.proto", "Protocol", start + 9, start + 10, protocol, `${name} (${protocol})`);
  const found = u16(bytes, start + 10);
  // The sum over the header with the checksum in it tells what it should have been.
  const rest = whole ? checksum(bytes, start, start + header, 0xffff - found) : null;
  addChecksum(layer, "ip", start + 10, found, rest);
  layer.add("ip.src", "Source", start + 12, start + 16, to.source);
  if (to.goal !== start + 16) {
    layer.add("ip.cur_rt", "Next router", start + 16, start + 20, ipv4Text(bytes, start + 16));
  }
  layer.add("ip.dst", "Destination", to.goal, to.goal + 4, to.destination);
  if (offset > 0 || more) to.fragment = true;
  if (whole && header > 20) addIpv4Options(to, layer, start + 20, start + header);

  // Segmentation offload leaves the total length 0.
  const promised = total === 0 ? to.promised : start + total;
  to.promised = promised;
  if (header < 20) {
    to.info = `Bogus IP header length (${header}, must be at least 20)`;
    return;
  }
  if (promised < start + header) {
    to.info = `Bogus IP length (${total}, less than header length ${header})`;
    return;
  }
  if (!whole) {
    to.info = "[Truncated IPv4]";
    throw SHORT;
  }
  const stop = Math.min(end, promised);
  const body = start + header;
  to.info = `${name} (${protocol})`;
  if (offset > 0) {
    to.info = `Fragmented IP protocol (proto=${name} ${protocol}, off=${offset}, ID=${hex(id, 4).slice(2)})`;
    to.data(body, stop);
  } else if (protocol === AUTHENTICATION) {
    extensions(to, protocol, body, stop, upper);
  } else if (body < promised) {
    next(to, upper(protocol), body, stop);
  }
}

export function dissectIpv6(to: Dissection, start: number, end: number, upper: Upper): void {
  const { bytes } = to;
  to.protocol = "IPv6";
  if (end - start < 40) {
    to.truncated("ipv6", "IPv6", start);
    return;
  }
  const layer = to.layer("ipv6", "Internet Protocol Version 6", start, start + 40);
  to.source = ipv6Text(bytes, start + 8);
  to.destination = ipv6Text(bytes, start + 24);
  layer.text = `${to.source} → ${to.destination}`;
  to.goal = start + 24;
  layer.add("ipv6.version", "Version", start, start + 1, 6);
  addTrafficClass(layer, "ipv6.tclass", start, start + 2, (u16(bytes, start) >> 4) & 0xff);
  const flow = u32(bytes, start) % 0x100000;
  layer.add("ipv6.flow", "Flow label", start + 1, start + 4, flow, hex(flow, 5));
  const length = u16(bytes, start + 4);
  addLength(layer, "ipv6.plen", "Payload length", start + 4, length, to.promised - start - 40);
  const following = u8(bytes, start + 6);
  addNextHeader(layer, "ipv6.nxt", start + 6, following);
  addNumber(layer, "ipv6.hlim", "Hop limit", u8, bytes, start + 7, 1);
  layer.add("ipv6.src", "Source", start + 8, start + 24, to.source);
  layer.add("ipv6.dst", "Destination", start + 24, start + 40, to.destination);
  // A jumbogram, or segmentation offload, leaves the payload length 0.
  if (length !== 0) to.promised = start + 40 + length;
  to.info = protocolName(following);
  extensions(to, following, start + 40, Math.min(end, to.promised), upper);
}

function extensions(to: Dissection, first: number, start: number, end: number, upper: Upper): void {
  const { bytes } = to;
  let protocol = first;
  let at = start;
  for (;;) {
    if (!isExtension(protocol)) {
      to.info = protocol === 59 ? "IPv6 no next header" : `${protocolName(protocol)} (${protocol})`;
      next(to, protocol === 59 ? undefined : upper(protocol), at, end);
      return;
    }
    if (!to.enter(at, end)) return;
    const [name, label] = EXTENSIONS[protocol] ?? ["", ""];
    if (at + 8 > end) {
      to.truncated(name, label, at, end);
      return;
    }
    const following = u8(bytes, at);
    const size = extensionSize(protocol, u8(bytes, at + 1));
    const layer = to.layer(name, label, at, Math.min(at + size, end));
    const nextName = protocol === AUTHENTICATION ? "ah.next_header" : `${name}.nxt`;
    addNextHeader(layer, nextName, at, following);
    layer.text = `${size} bytes`;
    if (protocol === 44) {
      const word = u16(bytes, at + 2);
      const offset = word & 0xfff8;
      const more = (word & 1) !== 0;
      const id = u32(bytes, at + 4);
      layer.add("ipv6.fraghdr.offset", "Offset", at + 2, at + 4, offset >> 3, `${offset} bytes`);
      layer.add("ipv6.fraghdr.more", "More fragments", at + 3, at + 4, more);
      layer.add("ipv6.fraghdr.ident", "Identification", at + 4, at + 8, id, hex(id, 8));
      if (offset > 0 || more) to.fragment = true;
      layer.text = `offset ${offset}, ${more ? "more follow" : "last"}, identification ${hex(id, 8)}`;
      to.info = `IPv6 fragment (off=${offset} more=${more ? "y" : "n"} ident=${hex(id, 8)} nxt=${following})`;
      if (offset > 0) {
        to.data(at + size, end);
        return;
      }
    } else if (protocol === AUTHENTICATION) {
      const icv = Math.max(0, Math.min(size, end - at) - 12);
      lay(to, layer, "ah", at + 1, end, `length:Length:1;reserved:Reserved:2o;spi:SPI:4x`);
      if (at + 12 <= end)
        lay(to, layer, "ah", at + 8, end, `sequence:Sequence:4;icv:Check value:${icv}o`);
    } else if (protocol < STANDING) {
      const length = u8(bytes, at + 1);
      layer.add(`${name}.len`, "Length", at + 1, at + 2, length, `${length} (${size} bytes)`);
      const stop = Math.min(at + size, end);
      if (protocol === 43) addRoute(to, layer, at, stop);
      else addIpv6Options(to, layer, at + 2, stop);
    } else if (following === 59) {
      to.protocol = protocolName(protocol);
      to.info = `${to.protocol} (${protocol})`;
      return;
    }
    at += size;
    if (at > end) {
      to.info = `[Truncated ${label}]`;
      throw SHORT;
    }
    protocol = following;
  }
}

const AUTHENTICATION = 51;
const EXTENSIONS: Readonly<Record<number, readonly [name: string, label: string]>> = {
  0: ["ipv6.hopopts", "IPv6 Hop-by-Hop Options"],
  43: ["ipv6.routing", "IPv6 Routing Header"],
  44: ["ipv6.fraghdr", "IPv6 Fragment Header"],
  51: ["ah", "Authentication Header"],
  60: ["ipv6.dstopts", "IPv6 Destination Options"],
  135: ["mipv6", "IPv6 Mobility Header"],
  139: ["hip", "Host Identity Protocol"],
  140: ["shim6", "Shim6 Header"],
};

/** Add a length that an IP header claims, and how much there is where that is less. */
function addLength(
  layer: Field,
  name: string,
  label: string,
  start: number,
  claimed: number,
  there: number,
): void {
  const less = claimed > there;
  const text = less ? `${claimed} bytes, of which ${there} are there` : String(claimed);
  layer.add(name, label, start, start + 2, claimed, text);
  if (less) layer.text += `, ${label.toLowerCase()} ${text}`;
}

function next(to: Dissection, dissector: Dissector | undefined, start: number, end: number): void {
  if (dissector === undefined) to.data(start, end);
  else dissector(to, start, end);
}

function addTrafficClass(
  layer: Field,
  prefix: string,
  start: number,
  end: number,
  value: number,
): void {
  const whole = prefix === "ip" ? "ip.dsfield" : prefix;
  const label = prefix === "ip" ? "Differentiated services" : "Traffic class";
  const field = layer.add(whole, label, start, end, value, hex(value, 2));
  field.add(`${whole}.dscp`, "DSCP", start, end, value >> 2);
  field.add(`${whole}.ecn`, "ECN", start, end, value & 3);
}

function addNextHeader(layer: Field, name: string, at: number, value: number): void {
  layer.add(name, "Next header", at, at + 1, value, `${protocolName(value)} (${value})`);
}

/** What options of IPv4 hold. */
const OPTIONS: Readonly<Record<number, string>> = {
  148: "opt.ra:Router alert:2",
};

function addIpv4Options(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  const options = layer.add("", "Options", start, end, "", `${end - start} bytes`);
  for (let at = start; at < end; ) {
    const type = u8(bytes, at);
    const size = type < 2 ? 1 : u8(bytes, at + 1);
    const stop = at + size;
    const label = nameOf("IPOPT", type) ?? `Option ${type}`;
    const option = options.add("ip.opt.type", label, at, Math.min(stop, end), type);
    if (type === 0 || size === 0 || stop > end) break;
    if (size > 1) {
      const route = type === 7 || type === 131 || type === 137;
      const table = `:Type:1_;opt.len:Length:1;${route ? "opt.ptr:Pointer:1" : (OPTIONS[type] ?? "")}`;
      let body = lay(to, option, "ip", at, stop, table.replace(/;$/, ""));
      for (; route && u8(bytes, at + 2) >= 4 && body + 4 <= stop; body += 4) {
        if (body === to.goal) continue;
        const passed = body - at + 1 < u8(bytes, at + 2);
        const name = passed ? "rec_rt" : type === 7 ? "empty_rt" : "src_rt";
        lay(to, option, "ip", body, stop, `${name}:${passed ? "Passed" : "Router"}:4a`);
      }
    }
    at = stop;
  }
}

const ROUTES: Readonly<Record<number, [head: string, address: string]>> = {
  0: ["src.reserved:Reserved:4o", "src.addr"],
  2: ["mipv6.reserved:Reserved:4o", "mipv6.home_address"],
  4: ["srh.last_entry:Last entry:1;srh.flags:Flags:1x;srh.tag:Tag:2o", "srh.addr"],
};

/** Add a routing header; its last address is where the packet goes in the end. */
function addRoute(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  const goal = goal6(bytes, start, end);
  if (goal >= 0) {
    to.goal = goal;
    to.destination = ipv6Text(bytes, goal);
  }
  let at = lay(
    to,
    layer,
    "ipv6.routing",
    start + 2,
    end,
    "type:Type:1=ROUTE;segleft:Segments left:1",
  );
  const [head, address] = ROUTES[u8(bytes, start + 2)] ?? [];
  if (head === undefined) return;
  at = lay(to, layer, "ipv6.routing", at, end, head);
  while (at + 16 <= end && !isFull(layer, at, end)) {
    at = lay(to, layer, "ipv6.routing", at, end, `${address}:Address:16a`);
  }
}

const IPV6_OPTIONS: Readonly<Record<number, string>> = {
  5: "router_alert:Router alert:2",
  194: "jumbo:Payload length:4",
};

function addIpv6Options(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  for (let at = start; at < end && !isFull(layer, at, end); ) {
    const type = u8(bytes, at);
    const size = type === 0 ? 1 : u8(bytes, at + 1) + 2;
    const label = nameOf("IP6OPT", type) ?? `Option ${type}`;
    const option = layer.add("ipv6.opt.type", label, at, Math.min(at + size, end), type);
    if (type > 0 && at + 2 <= end) {
      option.add("ipv6.opt.length", "Length", at + 1, at + 2, size - 2);
      const table = IPV6_OPTIONS[type];
      if (table !== undefined && at + size <= end) lay(to, option, "ipv6.opt", at + 2, end, table);
    }
    at += size;
    if (at > end) to.spoil(`${label} ends too late`, at - size, end);
  }
}

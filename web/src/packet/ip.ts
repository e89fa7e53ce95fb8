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
} from "./dissection";
import { extensionSize, isExtension, STANDING } from "./headers";
import { protocolName } from "./names";

const IPV4_OPTIONS: Readonly<Record<number, string>> = {
  0: "End of options",
  1: "No operation",
  7: "Record route",
  68: "Timestamp",
  130: "Security",
  131: "Loose source route",
  137: "Strict source route",
  148: "Router alert",
};

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
  to.source = ipv4Text(bytes, start + 12);
  to.destination = ipv4Text(bytes, start + 16);
  layer.text = `${to.source} → ${to.destination}`;
  layer.add("ip.version", "Version", start, start + 1, 4);
  layer.add("ip.hdr_len", "Header length", start, start + 1, header, `${header} bytes`);
  addTrafficClass(layer, "ip", start + 1, start + 2, u8(bytes, start + 1));
  const total = u16(bytes, start + 2);
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
  const whole = header >= 20 && start + header <= end;
  // The sum over the header with the checksum in it tells what it should have been.
  const rest = whole ? checksum(bytes, start, start + header, 0xffff - found) : null;
  addChecksum(layer, "ip", start + 10, found, rest);
  layer.add("ip.src", "Source", start + 12, start + 16, to.source);
  layer.add("ip.dst", "Destination", start + 16, start + 20, to.destination);
  if (header > 20) addIpv4Options(layer, bytes, start + 20, Math.min(end, start + header));

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
    return;
  }
  const stop = Math.min(end, promised);
  const body = start + header;
  to.info = `${name} (${protocol})`;
  if (offset > 0) {
    to.info = `Fragmented IP protocol (proto=${name} ${protocol}, off=${offset}, ID=${hex(id, 4).slice(2)})`;
    to.data(body, stop);
  } else if (protocol === AUTHENTICATION) {
    extensions(to, protocol, body, stop, upper);
  } else {
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
  layer.add("ip.version", "Version", start, start + 1, 6);
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
      if (protocol === 59) to.info = "IPv6 no next header";
      next(to, protocol === 59 ? undefined : upper(protocol), at, end);
      return;
    }
    if (!to.enter(at, end)) return;
    const [name, label] = EXTENSIONS[protocol] ?? ["", ""];
    if (at + 8 > end) {
      to.truncated(name, label, at);
      return;
    }
    const following = u8(bytes, at);
    const size = extensionSize(protocol, u8(bytes, at + 1));
    const layer = to.layer(name, label, at, Math.min(at + size, end));
    addNextHeader(layer, `${name}.nxt`, at, following);
    layer.text = `${size} bytes`;
    if (protocol === 44) {
      const word = u16(bytes, at + 2);
      const offset = word & 0xfff8;
      const more = (word & 1) !== 0;
      const id = u32(bytes, at + 4);
      layer.add("ipv6.fraghdr.offset", "Offset", at + 2, at + 4, offset >> 3, `${offset} bytes`);
      layer.add("ipv6.fraghdr.more", "More fragments", at + 3, at + 4, more);
      layer.add("ipv6.fraghdr.ident", "Identification", at + 4, at + 8, id, hex(id, 8));
      layer.text = `offset ${offset}, ${more ? "more follow" : "last"}, identification ${hex(id, 8)}`;
      to.info = `IPv6 fragment (off=${offset} more=${more ? "y" : "n"} ident=${hex(id, 8)} nxt=${following})`;
      if (offset > 0) {
        to.data(at + size, end);
        return;
      }
    } else if (protocol === 43) {
      addNumber(layer, "ipv6.routing.type", "Type", u8, bytes, at + 2, 1);
      addNumber(layer, "ipv6.routing.segleft", "Segments left", u8, bytes, at + 3, 1);
    } else if (protocol === AUTHENTICATION) {
      const spi = u32(bytes, at + 4);
      layer.add("ah.spi", "SPI", at + 4, at + 8, spi, hex(spi, 8));
      if (at + 12 <= end) addNumber(layer, "ah.sequence", "Sequence", u32, bytes, at + 8, 4);
    } else if (protocol < STANDING) {
      addIpv6Options(layer, bytes, at + 2, Math.min(at + size, end));
    } else if (following === 59) {
      to.protocol = protocolName(protocol);
      to.info = `${to.protocol} (${protocol})`;
      return;
    }
    at += size;
    if (at > end) {
      to.info = `[Truncated ${label}]`;
      return;
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

function addIpv4Options(layer: Field, bytes: Uint8Array, start: number, end: number): void {
  const options = layer.add(
    "ip.options",
    "Options",
    start,
    end,
    end - start,
    `${end - start} bytes`,
  );
  for (let at = start; at < end; ) {
    const type = u8(bytes, at);
    const size = type < 2 ? 1 : u8(bytes, at + 1);
    if (size === 0 || at + size > end) break;
    options.add("ip.opt.type", IPV4_OPTIONS[type] ?? `Option ${type}`, at, at + size, type);
    if (type === 0) break;
    at += size;
  }
}

function addIpv6Options(layer: Field, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end && !isFull(layer, at, end); ) {
    const type = u8(bytes, at);
    const size = type === 0 ? 1 : u8(bytes, at + 1) + 2;
    const label =
      type === 0 ? "Pad1" : type === 1 ? "PadN" : type === 5 ? "Router alert" : `Option ${type}`;
    layer.add("ipv6.opt.type", label, at, Math.min(at + size, end), type);
    at += size;
  }
}

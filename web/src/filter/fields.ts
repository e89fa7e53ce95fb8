/** What a display filter can ask of a packet: every name, what it is, and where it is found. */

import { NAMES } from "./names";

export type Kind =
  | "number"
  | "boolean"
  | "text"
  | "ipv4"
  | "ipv6"
  | "bytes"
  | "seconds"
  | "date"
  | "protocol"
  /** Only there or not. */
  | "mark";

export interface FilterField {
  readonly name: string;
  readonly kind: Kind;
  readonly about: string;
  /** Of a number: the largest that fits. */
  readonly most: number;
  /** Whether its values have names, as in `ip.checksum.status == "Bad"`. */
  readonly named: boolean;
  /** Whether other packets say it, so that it is not in the packet itself. */
  readonly noted: boolean;
  /** The first part of the name. */
  readonly protocol: string;
  /** The fields it stands for. */
  readonly parts: readonly string[];
}

/** What the letters in names.ts mean: a digit is the number of bytes, `=` has names, `*` is noted. */
const KINDS: Readonly<Record<string, Kind>> = {
  b: "boolean",
  s: "text",
  a: "ipv4",
  A: "ipv6",
  o: "bytes",
  i: "number",
  f: "seconds",
  t: "seconds",
  d: "date",
  p: "protocol",
  n: "mark",
};

/** Names that the decoder does not have: of the frame, of several fields, and our own. */
const MORE = `
frame p The whole packet
.number 4 Number in the table
.len 4 Length of the packet
.cap_len 4 Captured length
.time d Time of the packet
.time_epoch t Seconds since 1970
.time_relative t Seconds since the first packet
.time_delta t Seconds since the packet before
.protocols s Layers, as in raw:ip:tcp
_ws -
.malformed n Something is malformed
.col.protocol s The column Protocol
.col.info s The column Info
data p Bytes that no protocol claims
.len 4 Number of bytes
received b From the host to the application
injected b From the application to the host
cut b Cut by the snap length
fragment b Part of a fragmented packet
len 4 Length of the packet
proto 1 IP protocol number, also of IPv6
ttl 1 Time to live or hop limit
port 2 Source or destination port
host a Source or destination address
src a Source address, or src port
dst a Destination address, or dst port
tcp.flags.str s Flags as letters, ·······A··S·
`;

/** Fields that stand for others. */
const UNIONS = `
ip.addr ip.src ip.dst|Source or destination
ip.host ip.src ip.dst|Source or destination, as text
ip.src_host ip.src|Source, as text
ip.dst_host ip.dst|Destination, as text
ipv6.addr ipv6.src ipv6.dst|Source or destination
ipv6.host ipv6.src ipv6.dst|Source or destination, as text
tcp.port tcp.srcport tcp.dstport|Source or destination port
udp.port udp.srcport udp.dstport|Source or destination port
sctp.port sctp.srcport sctp.dstport|Source or destination port
dccp.port dccp.srcport dccp.dstport|Source or destination port
udplite.port udplite.srcport udplite.dstport|Source or destination port
ttl ip.ttl ipv6.hlim|
port tcp.srcport tcp.dstport udp.srcport udp.dstport sctp.srcport sctp.dstport dccp.srcport dccp.dstport udplite.srcport udplite.dstport|
src.port tcp.srcport udp.srcport sctp.srcport dccp.srcport udplite.srcport|
dst.port tcp.dstport udp.dstport sctp.dstport dccp.dstport udplite.dstport|
ip.version ip.version ipv6.version|Version of the header
data.data data|The bytes
tcp.payload tcp|Bytes behind the header
udp.payload udp|Bytes behind the header
`;

/** Other ways to say the same. */
const ALIASES: Readonly<Record<string, string>> = {
  ipv4: "ip",
  icmp6: "icmpv6",
  ssl: "tls",
  bootp: "dhcp",
  wireguard: "wg",
  length: "len",
  net: "host",
  addr: "host",
  "tcp.flags.rst": "tcp.flags.reset",
  "tcp.flags.psh": "tcp.flags.push",
  "tls.sni": "tls.handshake.extensions_server_name",
  "tls.record.opaque_type": "tls.record.content_type",
  "_ws.col.proto": "_ws.col.protocol",
};

/** Fields by name, in the order in which they are suggested. */
export const FIELDS = new Map<string, FilterField>();

function define(name: string, code: string, about: string, parts = [name]): void {
  const kind = KINDS[code.charAt(0)] ?? "number";
  const size = Number(code.charAt(0));
  FIELDS.set(name, {
    name,
    kind,
    about,
    most: code.startsWith("i") ? 2 ** 31 - 1 : 2 ** (8 * size) - 1,
    named: code.includes("="),
    noted: code.includes("*"),
    protocol: name.split(".")[0] ?? "",
    parts,
  });
}

let head = "";
for (const line of `${MORE}${NAMES}`.split("\n")) {
  const [name = "", code = "", ...label] = line.split(" ");
  if (name === "") continue;
  if (!name.startsWith(".")) head = name;
  if (code !== "-") define(name.startsWith(".") ? head + name : name, code, label.join(" "));
}
for (const line of UNIONS.trim().split("\n")) {
  const [names = "", about = ""] = line.split("|");
  const [name = "", ...parts] = names.split(" ");
  const known = FIELDS.get(name);
  const first = FIELDS.get(parts[0] ?? "");
  const code = { ipv4: "a", ipv6: "A", protocol: "o" }[first?.kind as string] ?? "2";
  const text = name.endsWith("host") && name.includes(".");
  define(name, text ? "s" : /ttl|version/.test(name) ? "1" : code, known?.about ?? about, parts);
}

/** Return a field by its name or another one of it, whatever the case. */
export function fieldOf(name: string): FilterField | undefined {
  const key = name.toLowerCase().replace(/^(?:ssl|bootp)(?=\.)/, (old) => ALIASES[old] ?? old);
  return FIELDS.get(Object.hasOwn(ALIASES, key) ? (ALIASES[key] ?? key) : key);
}

/** Return the known name with this head that differs least, undefined when none is near. */
export function nearest(name: string, head = ""): string | undefined {
  let best: string | undefined;
  if (name.length < 4) return undefined;
  let least = Math.min(4, Math.max(2, name.length / 3));
  for (const known of FIELDS.keys()) {
    if (!known.startsWith(head)) continue;
    const begins = name.length > 3 && known.startsWith(name);
    const distance = begins ? 1 : editDistance(name, known);
    if (distance < least) [best, least] = [known, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}

/** TCP (RFC 9293) with its options. */

import { hex, octets, u8, u16, u32 } from "./bytes";
import { addChecksum, addNumber, bytesText, type Dissection, type Field } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { addPorts, cut, payload, transportChecksum } from "./transport";

// Bit 0 first.
export const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"] as const;
const FILTER_NAMES = ["fin", "syn", "reset", "push", "ack", "urg", "ece", "cwr"] as const;

export function dissectTcp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const header = (u8(bytes, start + 12) >> 4) * 4;
  to.protocol = "TCP";
  if (cut(to, "tcp", "TCP", start, end, 20)) return;
  const layer = to.layer("tcp", "Transmission Control Protocol", start, start + header);
  const [source, destination] = addPorts(layer, "tcp", bytes, start);
  const length = to.promised - start - header;
  layer.add("tcp.hdr_len", "Header length", start + 12, start + 13, header, `${header} bytes`);
  if (header < 20 || length < 0) {
    const least = header < 20 ? "at least 20" : `no more than ${header + length}`;
    layer.text = `bogus header length ${header}, must be ${least}`;
    if (length < 0) to.spoil(layer.text, start, end, false);
    to.info = `${source} → ${destination} [bogus TCP header length (${header}, must be ${least})]`;
    return;
  }
  const sequence = u32(bytes, start + 4);
  const acknowledged = u32(bytes, start + 8);
  const flags = u16(bytes, start + 12) & 0xfff;
  const windowSize = u16(bytes, start + 14);
  layer.add("tcp.len", "Segment length", start + 12, start + 13, length, bytesText(length));
  layer.add("tcp.seq_raw", "Sequence number", start + 4, start + 8, sequence);
  layer.add("tcp.ack_raw", "Acknowledgement number", start + 8, start + 12, acknowledged);
  const names = flagNames(flags);
  const shown = names || "none";
  const field = layer.add(
    "tcp.flags",
    "Flags",
    start + 12,
    start + 14,
    flags,
    `${hex(flags, 3)} (${shown})`,
  );
  for (const [bit, name] of TCP_FLAGS.entries()) {
    const set = ((flags >> bit) & 1) === 1;
    field.add(`tcp.flags.${FILTER_NAMES[bit]}`, name, start + 13, start + 14, set);
  }
  field.add("tcp.flags.ae", "AE", start + 12, start + 13, (flags & 0x100) !== 0);
  field.add("tcp.flags.res", "Reserved", start + 12, start + 13, flags >> 9);
  layer.add("tcp.window_size_value", "Window", start + 14, start + 16, windowSize);
  const found = u16(bytes, start + 16);
  const expected = transportChecksum(to, 6, start, end, 16);
  addChecksum(layer, "tcp", start + 16, found, expected);
  addNumber(layer, "tcp.urgent_pointer", "Urgent pointer", u16, bytes, start + 18, 2);
  const options = addOptions(to, layer, start + 20, Math.min(end, start + header));
  layer.text = `${source} → ${destination}, ${shown}, ${bytesText(length)}`;
  to.info =
    `${source} → ${destination} [${names || "<None>"}] Seq=${sequence}` +
    (flags & 0x10 ? ` Ack=${acknowledged}` : "") +
    ` Win=${windowSize}` +
    (flags & 0x20 ? ` Urg=${u16(bytes, start + 18)}` : "") +
    (expected !== null && expected !== found ? " [TCP CHECKSUM INCORRECT]" : "") +
    ` Len=${length}${options}`;
  payload(to, "tcp", source, destination, start + header, end);
}

/** Return the names of the set flags, `SYN, ACK`. */
export function flagNames(flags: number): string {
  return TCP_FLAGS.filter((_, bit) => (flags >> bit) & 1).join(", ");
}

/** Options with their names and what they hold; a window is scaled by 14 bits at most (RFC 7323). */
const OPTIONS: Readonly<Record<number, [size: number, name: string, table: string]>> = {
  2: [4, "mss", "mss_val:Maximum segment size:2~bytes"],
  3: [3, "wscale", "wscale.shift:Shift:1"],
  4: [2, "sack_perm", ""],
  8: [10, "timestamp", "timestamp.tsval:Timestamp:4;timestamp.tsecr:Timestamp echo:4"],
  28: [4, "user_to", ""],
};

/** Add the options; return what Wireshark says of them behind the length. */
function addOptions(to: Dissection, layer: Field, start: number, end: number): string {
  if (start >= end) return "";
  const { bytes } = to;
  const shown = octets(bytes, start, end);
  const options = layer.add("tcp.options", "Options", start, end, shown, `${end - start} bytes`);
  let said = "";
  for (let at = start; at < end; ) {
    const kind = u8(bytes, at);
    const size = kind < 2 ? 1 : u8(bytes, at + 1);
    const stop = at + size;
    const label = nameOf("TCPOPT", kind) ?? `Option ${kind}`;
    if (kind < 2) {
      options.add("tcp.option_kind", label, at, stop, kind);
      at = stop;
      continue;
    }
    const [, name = "", table = ""] = OPTIONS[kind] ?? (kind === 5 ? [0, "sack"] : []);
    const wrong = size < 2 || stop > end || (OPTIONS[kind]?.[0] ?? size) !== size;
    const option = options.add(
      name && `tcp.options.${name}`,
      label,
      at,
      Math.min(Math.max(stop, at + 2), end),
      name && octets(bytes, at, Math.min(stop, end)),
      wrong ? `${size} bytes, which is wrong` : `${size} bytes`,
    );
    lay(to, option, "tcp", at, end, "option_kind:Kind:1;option_len:Length:1");
    if (wrong) {
      if (size < 2 || stop > end) break;
      at = stop;
      continue;
    }
    if (table) {
      lay(to, option, "tcp.options", at + 2, stop, table);
      option.text = option.fields
        .slice(2)
        .map(({ text }) => text)
        .join(", ");
    }
    if (kind === 2) said += ` MSS=${u16(bytes, at + 2)}`;
    else if (kind === 3) {
      const factor = 2 ** Math.min(u8(bytes, at + 2), 14);
      option.add("tcp.options.wscale.multiplier", "Multiplier", at + 2, stop, factor);
      option.text = `× ${factor}`;
      said += ` WS=${factor}`;
    } else if (kind === 4) {
      said += " SACK_PERM";
      option.text = "yes";
    } else if (kind === 5) {
      for (let edge = at + 2; edge + 8 <= stop; edge += 8) {
        lay(to, option, "tcp.options", edge, stop, "sack_le:Left edge:4;sack_re:Right edge:4");
        said += ` SLE=${u32(bytes, edge)} SRE=${u32(bytes, edge + 4)}`;
      }
    } else if (kind === 8) said += ` TSval=${u32(bytes, at + 2)} TSecr=${u32(bytes, at + 6)}`;
    at = stop;
  }
  return said;
}

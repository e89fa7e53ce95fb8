/** TCP (RFC 9293) with its options. */

import { hex, u8, u16, u32 } from "./bytes";
import { addChecksum, addNumber, type Dissection, type Field } from "./dissection";
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
  if (header < 20 || length < 0) {
    const least = header < 20 ? "at least 20" : `no more than ${header + length}`;
    layer.text = `bogus header length ${header}, must be ${least}`;
    to.info = `${source} → ${destination} [bogus TCP header length (${header}, must be ${least})]`;
    return;
  }
  const sequence = u32(bytes, start + 4);
  const acknowledged = u32(bytes, start + 8);
  const flags = u16(bytes, start + 12) & 0xfff;
  const windowSize = u16(bytes, start + 14);
  layer.add("tcp.len", "Segment length", start + 12, start + 13, length, `${length} bytes`);
  layer.add("tcp.seq", "Sequence number", start + 4, start + 8, sequence);
  layer.add("tcp.ack", "Acknowledgement number", start + 8, start + 12, acknowledged);
  layer.add("tcp.hdr_len", "Header length", start + 12, start + 13, header, `${header} bytes`);
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
  layer.add("tcp.window_size_value", "Window", start + 14, start + 16, windowSize);
  const found = u16(bytes, start + 16);
  const expected = transportChecksum(to, 6, start, end, 16);
  addChecksum(layer, "tcp", start + 16, found, expected);
  addNumber(layer, "tcp.urgent_pointer", "Urgent pointer", u16, bytes, start + 18, 2);
  const options = addOptions(layer, bytes, start + 20, Math.min(end, start + header));
  layer.text = `${source} → ${destination}, ${shown}, ${length} bytes`;
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

/** Add the options; return what Wireshark says of them behind the length. */
function addOptions(layer: Field, bytes: Uint8Array, start: number, end: number): string {
  if (start >= end) return "";
  let said = "";
  const options = layer.add(
    "tcp.options",
    "Options",
    start,
    end,
    end - start,
    `${end - start} bytes`,
  );
  for (let at = start; at < end; ) {
    const kind = u8(bytes, at);
    const size = kind < 2 ? 1 : u8(bytes, at + 1);
    if (size === 0 || at + size > end) break;
    const stop = at + size;
    if (kind === 0) {
      options.add("tcp.option_kind", "End of options", at, stop, kind);
      break;
    }
    if (kind === 1) options.add("tcp.option_kind", "No operation", at, stop, kind);
    else if (kind === 2 && size === 4) {
      const mss = u16(bytes, at + 2);
      options.add("tcp.options.mss_val", "Maximum segment size", at, stop, mss, `${mss} bytes`);
      said += ` MSS=${mss}`;
    } else if (kind === 3 && size === 3) {
      const shift = u8(bytes, at + 2);
      options.add("tcp.options.wscale.shift", "Window scale", at, stop, shift, `× ${2 ** shift}`);
      said += ` WS=${2 ** shift}`;
    } else if (kind === 4) {
      options.add("tcp.options.sack_perm", "SACK permitted", at, stop, true, "yes");
      said += " SACK_PERM";
    } else if (kind === 5) {
      for (let edge = at + 2; edge + 8 <= stop; edge += 8) {
        const [left, right] = [u32(bytes, edge), u32(bytes, edge + 4)];
        options.add("tcp.options.sack_le", "SACK left edge", edge, edge + 4, left);
        options.add("tcp.options.sack_re", "SACK right edge", edge + 4, edge + 8, right);
        said += ` SLE=${left} SRE=${right}`;
      }
    } else if (kind === 8 && size === 10) {
      const [value, echo] = [u32(bytes, at + 2), u32(bytes, at + 6)];
      options.add("tcp.options.timestamp.tsval", "Timestamp", at + 2, at + 6, value);
      options.add("tcp.options.timestamp.tsecr", "Timestamp echo", at + 6, at + 10, echo);
      said += ` TSval=${value} TSecr=${echo}`;
    } else options.add("tcp.option_kind", `Option ${kind}`, at, stop, kind, `${size} bytes`);
    at = stop;
  }
  return said;
}

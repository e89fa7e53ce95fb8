/** SCTP (RFC 9260): its header and its chunks. */

import { u8, u16, u32 } from "./bytes";
import { type Dissection, isFull } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { addPorts, cut } from "./transport";

const INIT =
  "init_initiate_tag:Initiate tag:4x;init_credit:Window:4;init_nr_out_streams:Outbound streams:2;init_nr_in_streams:Inbound streams:2;init_initial_tsn:Initial TSN:4";
const BODIES: Readonly<Record<number, string>> = {
  0: "data_tsn_raw:TSN:4;data_sid:Stream:2x;data_ssn:Sequence in stream:2;data_payload_proto_id:Protocol:4",
  1: INIT,
  2: INIT.replaceAll("init_", "initack_"),
  3: "sack_cumulative_tsn_ack_raw:Cumulative TSN:4;sack_a_rwnd:Window:4;sack_number_of_gap_blocks:Gap blocks:2;sack_number_of_duplicated_tsns:Duplicate TSNs:2",
  7: "shutdown_cumulative_tsn_ack:Cumulative TSN:4",
};
const DATA_FLAGS =
  ";data_i_bit:Immediately:1&8;data_u_bit:Unordered:1&4;data_b_bit:First part:1&2;data_e_bit:Last part:1&1";

export function dissectSctp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "SCTP";
  if (cut(to, "sctp", "SCTP", start, end, 12)) return;
  const layer = to.layer("sctp", "Stream Control Transmission Protocol", start, end);
  const [source, destination] = addPorts(layer, "sctp", bytes, start);
  let at = lay(
    to,
    layer,
    "sctp",
    start + 4,
    end,
    "verification_tag:Verification tag:4x;checksum:Checksum:4x",
  );
  to.info = "";
  layer.text = `${source} → ${destination}`;
  while (at < end && !isFull(layer, at, end)) {
    const kind = u8(bytes, at);
    const size = u16(bytes, at + 2);
    const name = nameOf("CHUNK", kind) ?? `Chunk ${kind}`;
    const chunk = layer.add("", "Chunk", at, Math.min(at + size, end), "", name);
    const table = `chunk_type:Kind:1=CHUNK;chunk_flags:Flags:1x${kind ? "" : DATA_FLAGS};chunk_length:Length:2`;
    to.info += `${to.info && " "}${name}`;
    const body = lay(to, chunk, "sctp", at, end, table);
    if (size < 4) throw new Error(`a chunk says that it has ${size} bytes`);
    const stop = at + size;
    const inner = BODIES[kind];
    if (inner !== undefined) lay(to, chunk, "sctp", body, Math.min(stop, end), inner);
    if (kind === 3) to.info += ` (Ack=${u32(bytes, body)}, Arwnd=${u32(bytes, body + 4)})`;
    if (kind === 0) {
      to.info += ` (TSN=${u32(bytes, body)})`;
      chunk.text += `, ${size - 16} bytes`;
    }
    at = stop + (-size & 3);
    if (stop > end) throw new Error("a chunk ends too late");
  }
  to.info ||= layer.text;
}

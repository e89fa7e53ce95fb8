/** Messages as hexadecimal lines, answered with what they hold: how the vectors are checked. */
import { createInterface } from "node:readline";

import { FrameError, pack, unpack, type Batch } from "./batch.js";

const list = (values?: number[]): string => values?.join(",") ?? "-";

function told(batch: Batch): string {
  const packets = batch.packets.map((packet) => packet.toString("hex")).join(",");
  return [
    batch.sequence, batch.timeNs, Number(batch.injected), list(batch.originalLengths),
    list(batch.sequenceDeltas), packets, pack(batch).toString("hex"),
  ].join(" ");
}

for await (const line of createInterface(process.stdin)) {
  try {
    console.log(unpack(Buffer.from(line, "hex")).map(told).join("|"));
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    console.log(error.reason);
  }
}

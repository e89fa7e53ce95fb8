/** A capture file as the table shows it: a ring that holds all of it. */

import { batchesOf, type CaptureFile, MOST_BYTES, readCapture } from "../wire/capture-file";
import type { OpenedFile } from "./capture";
import { PacketRing } from "./packet-ring";

/** What the browser hands over: a File. */
export interface FileSource {
  readonly name: string;
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Read a file. Throws an Error with a sentence for one that cannot be shown at all. */
export async function openFile(source: FileSource): Promise<OpenedFile> {
  if (source.size > MOST_BYTES) {
    const most = MOST_BYTES / 1024 / 1024;
    throw new Error(`The file is larger than ${most} MiB, which is the most that can be opened.`);
  }
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await source.arrayBuffer());
  } catch {
    throw new Error("The browser could not read the file.");
  }
  return fileOf(source.name, bytes, readCapture(bytes));
}

function fileOf(name: string, bytes: Uint8Array, { packets, faults }: CaptureFile): OpenedFile {
  if (packets.length === 0 && faults.length > 0) throw new Error(faults.join(" "));
  const ring = new PacketRing({ packets: Math.max(1, packets.length), bytes: Infinity });
  for (const batch of batchesOf(bytes, packets)) ring.append(batch);
  for (const [row, { foreign }] of packets.entries()) {
    if (foreign !== "") ring.foreign.set(row, foreign);
  }
  const { size } = ring.foreign;
  const others =
    size === 0
      ? []
      : [
          `${size.toLocaleString("en")} of its packets ${size === 1 ? "is" : "are"} not IP, so not decoded.`,
        ];
  return { name, ring, faults: [...faults, ...others], hasDirections: ring.hasDirections };
}

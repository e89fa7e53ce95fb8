/** A capture file in the table. */

import { expect, test } from "vitest";
import { openFile } from "../../src/models/opened-file";
import { rowText } from "../../src/models/packet-text";
import { MOST_BYTES } from "../../src/wire/capture-file";
import { pcapng } from "../../src/wire/pcapng";

/** Nothing is known of the packets around. */
const ALONE = { notes: () => undefined, begins: () => 0 };
const UDP = Uint8Array.from([
  ...[0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 6, 7, 7, 10, 6, 7, 8],
  ...[0x9c, 0x40, 0, 53, 0, 8, 0, 0],
]);
const FRAME = [...new Array<number>(12).fill(0), 8, 0, ...UDP];
const ARP = [...new Array<number>(12).fill(0), 8, 6, 0, 1];

function source(name: string, parts: BlobPart[]) {
  return new File(parts, name);
}

function ethernet(...frames: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, ...new Array<number>(8).fill(0)];
  bytes.push(255, 255, 0, 0, 1, 0, 0, 0);
  for (const frame of frames) {
    const size = [frame.length, 0, 0, 0];
    bytes.push(1, 0, 0, 0, 0, 0, 0, 0, ...size, ...size, ...frame);
  }
  return Uint8Array.from(bytes);
}

test("what the page saved has its directions, times and lengths again", async () => {
  const packet = { bytes: UDP, originalLength: 99, timeNs: 1_700_000_000_000_000_123n };
  const parts = pcapng("OfficeNet", [
    { ...packet, injected: false },
    { ...packet, injected: true },
  ]);
  const file = await openFile(source("a.pcapng", parts));
  expect(file).toMatchObject({ name: "a.pcapng", faults: [], hasDirections: true });
  const rows = [0, 1].map((row) => rowText({ ring: file.ring, engine: ALONE }, row).kind);
  expect(rows).toEqual(["received", "injected"]);
  expect(file.ring.timeNs(1)).toBe(packet.timeNs);
  expect(file.ring.originalLength(0)).toBe(99);
});

test("without directions none is claimed, and what is not IP keeps its place", async () => {
  const file = await openFile(source("b.pcap", [ethernet(FRAME, ARP, FRAME)]));
  expect(file.hasDirections).toBe(false);
  expect(file.faults).toEqual(["1 of its packets is not IP, so not decoded."]);
  const rows = [0, 1, 2].map((row) => rowText({ ring: file.ring, engine: ALONE }, row));
  expect(rows.map(({ kind }) => kind)).toEqual(["unknown", "unknown", "unknown"]);
  expect(rows[1]?.info).toBe("ARP: not an IP packet, so it is not decoded");
  expect(rows[2]?.source).toBe("10.6.7.7");
  expect(file.ring.captured(0).injected).toBeNull();
});

test("a file that is too large, unreadable or no capture is refused in words", async () => {
  const large = { name: "l", size: MOST_BYTES + 1, arrayBuffer: () => Promise.reject() };
  await expect(openFile(large)).rejects.toThrow("larger than 256 MiB");
  await expect(openFile({ ...large, size: 1 })).rejects.toThrow("could not read");
  await expect(openFile(source("t", ["hello"]))).rejects.toThrow("not a capture file");
  await expect(openFile(source("c", [ethernet().slice(0, 9)]))).rejects.toThrow("its header");
});

test("a file without packets is an empty table", async () => {
  const file = await openFile(source("e.pcap", [ethernet()]));
  expect([file.ring.count, file.faults]).toEqual([0, []]);
});

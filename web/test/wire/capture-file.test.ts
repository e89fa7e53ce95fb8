/** Capture files, whole and damaged. */

import { expect, test } from "vitest";
import { batchesOf, readCapture } from "../../src/wire/capture-file";
import { pcapng } from "../../src/wire/pcapng";

// A UDP packet of 28 bytes, without data.
const UDP = Uint8Array.from([
  ...[0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 6, 7, 7, 10, 6, 7, 8],
  ...[0x9c, 0x40, 0, 53, 0, 8, 0, 0],
]);
const MAC = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const TIME = 1_767_323_045_123_456_789n;

interface Shape {
  readonly little?: boolean;
  readonly nanos?: boolean;
  readonly link?: number;
}

function pcap(
  records: readonly (readonly number[] | Uint8Array)[],
  { little = true, nanos = false, link = 101 }: Shape = {},
): Uint8Array {
  const size = 24 + records.reduce((sum, one) => sum + 16 + one.length, 0);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, nanos ? 0xa1b23c4d : 0xa1b2c3d4, little);
  view.setUint16(4, 2, little);
  view.setUint16(6, 4, little);
  view.setUint32(16, 65535, little);
  view.setUint32(20, link, little);
  const bytes = new Uint8Array(view.buffer);
  let at = 24;
  for (const record of records) {
    const fraction = TIME % 1_000_000_000n;
    view.setUint32(at, Number(TIME / 1_000_000_000n), little);
    view.setUint32(at + 4, Number(nanos ? fraction : fraction / 1000n), little);
    view.setUint32(at + 8, record.length, little);
    view.setUint32(at + 12, record.length, little);
    bytes.set(record, at + 16);
    at += 16 + record.length;
  }
  return bytes;
}

async function written(
  ...packets: Parameters<typeof pcapng>[1] extends Iterable<infer P> ? P[] : never
) {
  return new Uint8Array(await new Blob(pcapng("OfficeNet", packets)).arrayBuffer());
}

test.each([
  [{}, 789n],
  [{ little: false }, 789n],
  [{ nanos: true }, 0n],
  [{ little: false, nanos: true }, 0n],
] as const)("a pcap file %o", (shape, lost) => {
  const file = pcap([UDP, UDP], shape);
  const { packets, faults } = readCapture(file);
  expect(faults).toEqual([]);
  expect(packets).toHaveLength(2);
  expect(packets[0]).toMatchObject({ timeNs: TIME - lost, injected: null, foreign: "" });
  expect(file.subarray(packets[1]?.start, packets[1]?.end)).toEqual(UDP);
});

test("what the page writes it reads again, with directions and nanoseconds", async () => {
  const one = { bytes: UDP, originalLength: 1400, timeNs: TIME, injected: false };
  const file = await written(one, { ...one, injected: true });
  const { packets, faults } = readCapture(file);
  expect(faults).toEqual([]);
  expect(packets.map(({ injected }) => injected)).toEqual([false, true]);
  expect(packets[0]).toMatchObject({ timeNs: TIME, originalLength: 1400 });
  expect(file.subarray(packets[0]?.start, packets[0]?.end)).toEqual(UDP);
});

const padding = new Array<number>(18).fill(0);

test.each([
  ["Ethernet with its padding", 1, [...MAC, 8, 0, ...UDP, ...padding]],
  ["two VLAN tags", 1, [...MAC, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 8, 0, ...UDP]],
  ["BSD loopback", 0, [2, 0, 0, 0, ...UDP]],
  ["BSD loopback of the other byte order", 0, [0, 0, 0, 2, ...UDP]],
  ["OpenBSD loopback", 108, [0, 0, 0, 2, ...UDP]],
  ["PPP", 9, [0xff, 3, 0, 0x21, ...UDP]],
  ["Linux cooked", 113, [0, 4, 0, 1, 0, 6, ...MAC.slice(0, 8), 8, 0, ...UDP]],
  ["Linux cooked 2", 276, [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 4, 6, ...MAC.slice(0, 8), ...UDP]],
  ["raw IPv4", 228, [...UDP]],
])("of %s the IP packet is taken", (_name, link, record) => {
  const file = pcap([record], { link });
  const { packets } = readCapture(file);
  expect(packets[0]).toMatchObject({ originalLength: UDP.length, foreign: "" });
  expect(file.subarray(packets[0]?.start, packets[0]?.end)).toEqual(UDP);
});

test("Linux says the direction", () => {
  const record = (kind: number) => [0, kind, 0, 1, 0, 6, ...MAC.slice(0, 8), 8, 0, ...UDP];
  const { packets } = readCapture(pcap([record(4), record(0), record(3)], { link: 113 }));
  expect(packets.map(({ injected }) => injected)).toEqual([false, true, null]);
});

test("what is not IP keeps its number, and is named", () => {
  const arp = [...MAC, 8, 6, 0, 1];
  const file = pcap([[...MAC, 8, 0, ...UDP], arp, [...MAC, 8, 0, ...UDP]], { link: 1 });
  const { packets } = readCapture(file);
  expect(packets.map(({ foreign }) => foreign)).toEqual(["", "ARP", ""]);
  const [batch] = batchesOf(file, packets);
  expect([...(batch?.starts ?? [])]).toEqual([0, 28, 28, 56]);
  expect(readCapture(pcap([[1, 2, 3]], { link: 147 })).packets[0]?.foreign).toBe("link type 147");
});

test("batches have every packet, its time and its direction", () => {
  const packet = { start: 0, end: 4, originalLength: 9, foreign: "" };
  const packets = [
    { ...packet, timeNs: 10n, injected: false },
    { ...packet, timeNs: 15n, injected: false },
    { ...packet, timeNs: 16n, injected: true },
    { ...packet, timeNs: 6_000_000_000n, injected: true },
    { ...packet, timeNs: 5n, injected: true },
  ];
  const batches = batchesOf(Uint8Array.of(1, 2, 3, 4), packets);
  expect(batches.map(({ count, sequence }) => [count, sequence])).toEqual([
    [2, 0],
    [1, 2],
    [1, 3],
    [1, 4],
  ]);
  expect([...(batches[0]?.times ?? [])]).toEqual([0, 5]);
  expect([...(batches[0]?.bytes ?? [])]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
});

test.each([
  ["empty", new Uint8Array(), "empty"],
  ["a text", new TextEncoder().encode("hello, world"), "not a capture file"],
  ["compressed", Uint8Array.of(0x1f, 0x8b, 8, 0), "gunzip"],
])("a file that is %s is refused", (_name, bytes, message) => {
  expect(() => readCapture(bytes)).toThrow(message);
});

test("a pcap file that was cut has the packets before the cut", () => {
  const { packets, faults } = readCapture(pcap([UDP, UDP]).subarray(0, -5));
  expect(packets).toHaveLength(1);
  expect(faults).toEqual(["The file ends inside packet 2, which begins at byte 68."]);
  expect(readCapture(pcap([]).subarray(0, 20)).faults[0]).toContain("inside its header");
});

test("a length that cannot be ends the reading", () => {
  const file = pcap([UDP, UDP]);
  new DataView(file.buffer).setUint32(68 + 8, 0x7fffffff, true);
  const { packets, faults } = readCapture(file);
  expect(packets).toHaveLength(1);
  expect(faults[0]).toContain("Packet 2, at byte 68, claims 2,147,483,647 bytes");
});

test("a pcapng file that was cut, or whose lengths differ, says where", async () => {
  const one = { bytes: UDP, originalLength: 28, timeNs: TIME, injected: false };
  const file = await written(one, one);
  const cut = readCapture(file.subarray(0, file.length - 3));
  expect(cut.packets).toHaveLength(1);
  expect(cut.faults[0]).toContain("inside packet 2");
  new DataView(file.buffer).setUint32(file.length - 4, 99, true);
  const differing = readCapture(file);
  expect(differing.packets).toHaveLength(2);
  expect(differing.faults[0]).toContain("two lengths");
});

test("whatever is changed in a file, it is read or refused in words", async () => {
  const one = { bytes: UDP, originalLength: 28, timeNs: TIME, injected: false };
  const files = [await written(one, one, one), pcap([UDP, UDP, UDP])];
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let turn = 0; turn < 20_000; turn++) {
    const file = (files[turn % 2] as Uint8Array).slice();
    for (let change = random(4); change >= 0; change--) file[random(file.length)] = random(256);
    const cut = file.subarray(0, turn % 3 ? file.length : random(file.length));
    try {
      const { packets } = readCapture(cut);
      batchesOf(cut, packets);
      expect(packets.every(({ start, end }) => start <= end && end <= cut.length)).toBe(true);
    } catch (error) {
      expect(String(error)).toMatch(/^Error: .*(file|empty)/);
    }
  }
});

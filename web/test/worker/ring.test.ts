import { describe, expect, it } from "vitest";
import { lossText } from "../../src/models/packet-text";
import { type Batch, pack, unpack } from "../../src/wire/batch";
import { INJECTED, type Item, LOSS, PacketRing } from "../../src/worker/ring";

/** A batch of packets of a few bytes; `protocol` is that of their IPv4 headers. */
function batch(count: number, sequence = 0, protocol = 17, size = 20): Batch {
  const packet = new Uint8Array(size);
  packet[0] = 0x45;
  packet[9] = protocol;
  const [made] = unpack(pack(Array.from({ length: count }, () => packet)));
  if (made === undefined) throw new Error("No batch.");
  return { ...made, sequence };
}

describe("the packet ring", () => {
  it("keeps the newest packets up to its bound", () => {
    const ring = new PacketRing({ packets: 10, bytes: 1e6 });
    for (let i = 0; i < 5; i++) ring.append(batch(4, 4 * i));
    expect([ring.first, ring.end, ring.sequence(10), ring.sequence(19)]).toEqual([10, 20, 10, 19]);
  });

  it("keeps no more bytes of messages than its bound", () => {
    const ring = new PacketRing({ packets: 1000, bytes: 5000 });
    for (let i = 0; i < 50; i++) ring.append(batch(10, 10 * i, 17, 100));
    expect(ring.bytes).toBeLessThanOrEqual(5000);
    expect(ring.count).toBeGreaterThan(20);
    expect(ring.packet(ring.end - 1).length).toBe(100);
  });

  it("lets go of every message with its last packet", () => {
    const ring = new PacketRing({ packets: 6, bytes: 1e6 });
    const each = batch(4).bytes.byteLength;
    for (let i = 0; i < 4; i++) ring.append(batch(4));
    expect(ring.bytes).toBe(2 * each);
    ring.clear();
    expect([ring.bytes, ring.count]).toEqual([0, 0]);
    ring.append(batch(1));
    expect(ring.count).toBe(1);
  });

  it("counts the packets that had to go, and for which bound", () => {
    const ring = new PacketRing({ packets: 6, bytes: 1e6 });
    ring.appendLoss({ cause: "queue", injected: false, count: 9, first: null, last: null }, 0n);
    ring.append(batch(8));
    expect([ring.evicted, ring.evictedBy]).toEqual([2, "packets"]);
    ring.clear();
    expect(ring.evicted).toBe(0);
    const small = new PacketRing({ packets: 1000, bytes: 5000 });
    for (let i = 0; i < 50; i++) small.append(batch(10, 10 * i, 17, 100));
    expect([small.evicted, small.evictedBy]).toEqual([500 - small.count, "bytes"]);
  });

  it("gives each packet its own time where the batch has one", () => {
    const ring = new PacketRing();
    ring.append({ ...batch(2), timeNs: 5n * 10n ** 9n, times: Uint32Array.of(0, 4_000_000_000) });
    ring.append({ ...batch(1), timeNs: 7n });
    expect([0, 1, 2].map((row) => ring.timeNs(row))).toEqual([5_000_000_000n, 9_000_000_000n, 7n]);
  });

  it("leaves the bytes in the message they came in", () => {
    const ring = new PacketRing();
    const one = batch(3);
    ring.append(one);
    expect(ring.packet(1).buffer).toBe(one.bytes.buffer);
  });

  it("takes a batch longer than itself", () => {
    const ring = new PacketRing({ packets: 4, bytes: 1e6 });
    ring.append(batch(11));
    expect([ring.count, ring.sequence(ring.first)]).toEqual([4, 7]);
  });

  it("numbers packets by the steps of a filtered batch", () => {
    const ring = new PacketRing();
    ring.append({ ...batch(3, 5), sequenceDeltas: Uint16Array.of(0, 4, 1) });
    expect([0, 1, 2].map((row) => ring.sequence(row))).toEqual([5, 9, 10]);
  });

  it("shows a loss as a row with its cause and range", () => {
    const ring = new PacketRing({ packets: 3, bytes: 1e6 });
    ring.append(batch(1));
    ring.appendLoss({ cause: "queue", injected: false, count: 412, first: 1, last: 412 }, 9n);
    const loss = ring.loss(1);
    expect(ring.kind(1)).toBe(LOSS);
    expect(loss && lossText(loss)).toContain(
      "412 packets from host are missing (sequence 1 to 412)",
    );
    ring.append(batch(3));
    expect(ring.loss(1)).toBeUndefined();
  });

  it("evicts nothing while it is held, and says afterwards what it did not keep", () => {
    const ring = new PacketRing({ packets: 4, bytes: 1e6 });
    ring.append(batch(3));
    ring.hold = true;
    ring.append({ ...batch(2, 3), injected: true });
    expect([ring.first, ring.count, ring.notKept]).toEqual([0, 3, 2]);
    ring.hold = false;
    ring.append({ ...batch(1, 5), injected: true });
    expect(ring.loss(3)).toMatchObject({ cause: "paused", count: 2, first: 3, last: 4 });
    expect(ring.kind(4)).toBe(INJECTED);
    expect(ring.notKept).toBe(0);
  });

  it("tells another ring what it took while it was held, so that both have the same rows", () => {
    const ring = new PacketRing({ packets: 6, bytes: 1e6 });
    const other = new PacketRing(ring.bounds);
    const feed = (item: Item) => ring.take(item).forEach((one) => void other.take(one));
    const loss = { cause: "queue", injected: false, count: 1, first: null, last: null };
    feed(batch(4));
    ring.hold = true;
    feed({ ...batch(3, 4), injected: true });
    feed(batch(2, 4));
    feed({ loss, timeNs: 0n });
    ring.hold = false;
    feed(batch(1, 7));
    const rowsOf = (one: PacketRing) =>
      Array.from({ length: one.count }, (_, i) => [one.kind(one.first + i), one.end]);
    expect(rowsOf(other)).toEqual(rowsOf(ring));
    expect(ring.loss(ring.end - 2)?.cause).toBe("paused");
  });

  it("gives what another ring needs to have the same rows", () => {
    const ring = new PacketRing({ packets: 10, bytes: 1e6 });
    ring.append({ ...batch(4, 7), timeNs: 5n, times: Uint32Array.of(0, 1, 2, 3) });
    ring.append({ ...batch(3, 20), sequenceDeltas: Uint16Array.of(0, 2, 5) });
    ring.appendLoss({ cause: "queue", injected: false, count: 1, first: 1, last: 1 }, 9n);
    ring.append({
      ...batch(4, 70, 6),
      injected: true,
      originalLengths: Uint16Array.of(9, 8, 7, 6),
    });
    const other = new PacketRing(ring.bounds, ring.first);
    for (const item of ring.items(0)) other.take(item);
    const rowsOf = (one: PacketRing) =>
      Array.from({ length: one.count }, (_, i) => {
        const row = one.first + i;
        const { bytes, ...more } = one.captured(row);
        return [row, [...bytes], more, one.sequence(row), one.kind(row), one.loss(row)];
      });
    expect(rowsOf(other)).toEqual(rowsOf(ring));
    expect(ring.first).toBe(2);
  });
});

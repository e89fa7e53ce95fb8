import { describe, expect, it } from "vitest";
import { FilteredRows } from "../../src/models/filtered-rows";
import { PacketRing } from "../../src/models/packet-ring";
import { pack, unpack } from "../../src/wire/batch";

function ringOf(count: number, packets = 100): PacketRing {
  const ring = new PacketRing({ packets, bytes: 1e6 });
  const bytes = Array.from({ length: count }, () => Uint8Array.of(0x45));
  for (const batch of unpack(pack(bytes))) ring.append(batch);
  return ring;
}

function rowsOf(rows: FilteredRows): number[] {
  return Array.from({ length: rows.count }, (_, index) => rows.at(index));
}

describe("the filtered rows", () => {
  it("are all rows without a filter", () => {
    const rows = new FilteredRows(ringOf(6, 4));
    expect(rowsOf(rows)).toEqual([2, 3, 4, 5]);
    expect([rows.indexOf(3), rows.indexOf(0), rows.indexOf(99)]).toEqual([1, 0, 4]);
  });

  it("take parts in whatever order they come", () => {
    const rows = new FilteredRows(ringOf(0));
    rows.restart(ringOf(90), true);
    for (const part of [[50, 51], [80, 88], [3, 9], [60, 61, 62], [20]]) {
      rows.insert(Float64Array.from(part));
    }
    expect(rowsOf(rows)).toEqual([3, 9, 20, 50, 51, 60, 61, 62, 80, 88]);
    expect([rows.indexOf(0), rows.indexOf(60), rows.indexOf(63), rows.indexOf(99)]).toEqual([
      0, 5, 8, 10,
    ]);
  });

  it("forget what the ring dropped, and take nothing of it", () => {
    const ring = ringOf(8, 8);
    const rows = new FilteredRows(ring);
    rows.restart(ring, true);
    rows.insert(Float64Array.of(2, 4, 6));
    for (const batch of unpack(pack([Uint8Array.of(0x45), Uint8Array.of(0x45)]))) {
      for (let i = 0; i < 2; i++) ring.append(batch);
    }
    rows.insert(Float64Array.of(0, 1, 5));
    expect(rowsOf(rows)).toEqual([4, 5, 6]);
  });

  it("show none beyond the limit", () => {
    const ring = ringOf(8);
    const rows = new FilteredRows(ring);
    rows.restart(ring, true);
    rows.insert(Float64Array.of(2, 4, 6));
    rows.limit = 5;
    expect(rowsOf(rows)).toEqual([2, 4]);
  });

  it("count what is held beyond the limit apart from what is looked at", () => {
    const ring = ringOf(5);
    const rows = new FilteredRows(ring);
    expect([rows.held, rows.candidates]).toEqual([0, 5]);
    rows.limit = 3;
    ring.appendLoss({ cause: "queue", injected: false, count: 9, first: null, last: null }, 0n);
    expect([rows.held, rows.candidates]).toEqual([2, 3]);
    ring.clear();
    expect([rows.held, rows.candidates]).toEqual([0, 0]);
  });

  it("count packets without the losses between them", () => {
    const ring = ringOf(3);
    ring.appendLoss({ cause: "queue", injected: false, count: 9, first: null, last: null }, 0n);
    const all = new FilteredRows(ring);
    expect([all.count, all.packets, ring.packets]).toEqual([4, 3, 3]);
    const rows = new FilteredRows(ring);
    rows.restart(ring, true);
    expect(rows.packets).toBe(0);
    rows.insert(Float64Array.of(1, 3));
    expect([rows.count, rows.packets]).toEqual([2, 1]);
    rows.limit = 3;
    expect(rows.packets).toBe(1);
  });

  it("hold as many as the ring has", () => {
    const ring = ringOf(100);
    const rows = new FilteredRows(ring);
    rows.restart(ring, true);
    const part = (from: number) => Float64Array.from({ length: 25 }, (_, i) => from + i);
    for (const from of [75, 0, 50, 25]) rows.insert(part(from));
    expect(rowsOf(rows)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

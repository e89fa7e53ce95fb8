/** Rows that are selected together, or marked. */

import { expect, test } from "vitest";
import { PacketRing } from "../../src/models/packet-ring";
import { PickedRows } from "../../src/models/picked-rows";
import { pack, unpack } from "../../src/wire/batch";

function ringOf(count: number, packets = 16): PacketRing {
  const ring = new PacketRing({ packets, bytes: 1 << 20 });
  for (let i = 0; i < count; i++) {
    for (const batch of unpack(pack([Uint8Array.of(0x45)]))) ring.append(batch);
  }
  return ring;
}

const all = (ring: PacketRing) => ({
  count: ring.count,
  at: (index: number) => ring.first + index,
  indexOf: (row: number) => row - ring.first,
});

test("a range goes from where it began, in both directions", () => {
  const ring = ringOf(9);
  const picked = new PickedRows(() => ring);
  picked.clear(4);
  picked.extend(6, 4, all(ring));
  expect(picked.list()).toEqual([4, 5, 6]);
  picked.extend(3, 6, all(ring));
  expect(picked.list()).toEqual([3, 4]);
});

test("rows are picked one by one, and let go", () => {
  const ring = ringOf(9);
  const picked = new PickedRows(() => ring);
  for (const row of [5, 2, 5, 7]) picked.toggle(row);
  expect(picked.list()).toEqual([2, 7]);
  picked.put([1, 2], true);
  picked.put([7], false);
  expect([picked.list(), picked.count, picked.has(1)]).toEqual([[1, 2], 2, true]);
});

test("what the ring dropped is not counted, and what is missing cannot be picked", () => {
  const ring = ringOf(4, 4);
  ring.appendLoss({ cause: "queue", injected: false, count: 1, first: 4, last: 4 }, 0n);
  const picked = new PickedRows(() => ring);
  picked.all(all(ring));
  expect(picked.list()).toEqual([1, 2, 3]);
  for (const batch of unpack(pack([Uint8Array.of(0x45)]))) ring.append(batch);
  expect([picked.count, picked.list()]).toEqual([2, [2, 3]]);
});

test("each ring has its own, which another in between does not take away", () => {
  const [one, other] = [ringOf(4), ringOf(4)];
  let ring = one;
  const picked = new PickedRows(() => ring);
  picked.toggle(2);
  ring = other;
  expect(picked.list()).toEqual([]);
  picked.toggle(1);
  ring = one.resized({ packets: 8, bytes: 1 << 20 });
  expect(picked.list()).toEqual([2]);
});

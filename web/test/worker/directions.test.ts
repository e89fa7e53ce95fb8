import { expect, test } from "vitest";
import { compileFilter } from "../../src/filter/parser";
import { ALONE, PacketSubject } from "../../src/filter/subject";
import { type Item, PacketRing } from "../../src/worker/ring";

const BATCH = {
  bytes: new Uint8Array([0x45, ...new Array<number>(19).fill(0)]),
  count: 1,
  injected: false,
  isUnknown: true,
  sequence: 0,
  timeNs: 0n,
  starts: Uint32Array.of(0, 20),
  originalLengths: null,
  sequenceDeltas: null,
  times: null,
} satisfies Item;

test.each(["from host", "to host", "received", "injected"])(
  "%s matches no packet whose direction is not known, in the worker's ring either",
  (text) => {
    const ring = new PacketRing();
    ring.append(BATCH);
    const copy = new PacketRing();
    for (const item of ring.items(0)) copy.take(item);
    const subject = new PacketSubject(ALONE);
    for (const one of [ring, copy]) {
      one.read(0, subject.headers);
      subject.point(0, 1);
      expect(compileFilter(text)?.test(subject)).toBe(false);
    }
  },
);

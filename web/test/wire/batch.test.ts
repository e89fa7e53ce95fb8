import { describe, expect, it } from "vitest";
import vectors from "../../../openapi/wire-vectors.json";
import { hexDigits } from "../../src/packet/bytes";
import { parseHex } from "../../src/packet/hex";
import { type Batch, FrameError, pack, unpack } from "../../src/wire/batch";

const buffer = (hex: string): ArrayBuffer => parseHex(hex).buffer as ArrayBuffer;

/** A batch as the vectors write it. */
function written(batch: Batch): object {
  const packets = Array.from({ length: batch.count }, (_, i) =>
    hexDigits(batch.bytes, batch.starts[i], batch.starts[i + 1]),
  );
  return {
    sequence: String(batch.sequence),
    time_ns: String(batch.timeNs),
    injected: batch.injected,
    original_lengths: batch.originalLengths && [...batch.originalLengths],
    sequence_deltas: batch.sequenceDeltas && [...batch.sequenceDeltas],
    packets,
  };
}

describe("the batch codec", () => {
  for (const vector of vectors.valid) {
    it(`reads the vector ${vector.name}`, () => {
      const exact = vector.batches.filter((one) => Number(one.sequence) <= Number.MAX_SAFE_INTEGER);
      const found = unpack(buffer(vector.message)).map(written);
      expect(found.length).toBe(vector.batches.length);
      expect(found).toEqual(expect.arrayContaining(exact));
    });
  }

  for (const vector of vectors.invalid) {
    it(`refuses the vector ${vector.name} for ${vector.reason}`, () => {
      let reason = "";
      try {
        unpack(buffer(vector.message));
      } catch (error) {
        if (error instanceof FrameError) reason = error.reason;
      }
      expect(reason).toBe(vector.reason);
    });
  }

  it("leaves the packets where they are", () => {
    const message = pack([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    const [batch] = unpack(message);
    expect(batch?.bytes.buffer).toBe(message);
  });

  it("writes what it reads back", () => {
    const packets = [new Uint8Array(20).fill(7), new Uint8Array(), new Uint8Array(65535).fill(1)];
    const [batch] = unpack(pack(packets));
    expect(batch && written(batch)).toMatchObject({
      packets: packets.map((one) => hexDigits(one)),
    });
  });

  it("refuses to write a packet that no length fits", () => {
    expect(() => pack([new Uint8Array(65536)])).toThrow(RangeError);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CaptureModel } from "../../src/models/capture";
import { lossText } from "../../src/models/packet-text";
import { TrafficModel } from "../../src/models/traffic";
import { pack } from "../../src/wire/batch";
import { eachWithService, newClient } from "../fake-service";

const HELLO = { type: "hello", session: "a", next_sequence: { received: 0, injected: 0 } };
const lost = (cause: string, count: number, more: object = {}) => ({
  type: "lost",
  direction: "received",
  cause,
  count,
  ...more,
});

describe("what a capture tells of losses", () => {
  const service = eachWithService();
  let capture: CaptureModel;

  beforeEach(() => {
    capture = new CaptureModel(newClient(), new TrafficModel());
    capture.choose("a");
    service().socket.accept();
    service().socket.say(HELLO);
    service().socket.say(pack([Uint8Array.of(0x45), Uint8Array.of(0x45)])); // numbers 0 and 1
  });
  afterEach(() => capture.choose(null));

  const losses = () =>
    Array.from({ length: capture.ring.count }, (_, row) => capture.ring.loss(row))
      .filter((loss) => loss !== undefined)
      .map(lossText);

  it("has a row for what was left at the end, which no later packet shows", () => {
    service().socket.say(lost("ended", 40, { first: 2, last: 41 }));
    expect(losses()).toEqual([
      "40 received packets are missing (sequence 2 to 41): " +
        "still in a client's queue when its connection ended",
    ]);
    expect(capture.missing).toBe(40);
  });

  it("has a row for packets that were lost before they had a number", () => {
    service().socket.say(lost("truncated", 3));
    service().socket.say(lost("ring", 1, { first: null, last: null }));
    expect(losses()).toEqual([
      "3 received packets are missing: larger than the driver can read",
      "1 received packet is missing: the ring was full",
    ]);
    expect(capture.missing).toBe(4);
  });

  it("counts no packet twice that a gap has shown, or will", () => {
    service().socket.say(lost("queue", 5, { first: 2, last: 6 }));
    service().socket.say(lost("ended", 2, { first: 0, last: 1 }));
    expect([losses(), capture.missing]).toEqual([[], 0]);
  });
});

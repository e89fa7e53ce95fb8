import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CaptureModel } from "../../src/models/capture";
import { EngineModel, workerInProcess } from "../../src/models/engine";
import { PacketRing } from "../../src/models/packet-ring";
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
    capture = new CaptureModel(newClient(), new TrafficModel(), new EngineModel(workerInProcess));
    capture.want();
    capture.show({ guid: "{a}", name: "A" }, "a");
    service().socket.accept();
    service().socket.say(HELLO);
    service().socket.say(pack([Uint8Array.of(0x45), Uint8Array.of(0x45)])); // numbers 0 and 1
  });
  afterEach(() => {
    capture.forget();
    capture.engine.dispose();
  });

  const losses = () =>
    Array.from({ length: capture.ring.count }, (_, row) => capture.ring.loss(row))
      .filter((loss) => loss !== undefined)
      .map(lossText);

  it("has a row for what was left at the end, which no later packet shows", () => {
    service().socket.say(lost("ended", 40, { first: 2, last: 41 }));
    expect(losses()).toEqual([
      "40 packets from host are missing (sequence 2 to 41): " +
        "left in the queue of a client that disconnected",
    ]);
    expect(capture.missing).toBe(40);
  });

  it("has a row for packets that were lost before they had a number", () => {
    service().socket.say(lost("truncated", 3));
    service().socket.say(lost("ring", 1, { first: null, last: null }));
    expect(losses()).toEqual([
      "3 packets from host are missing: too large for the driver to read",
      "1 packet from host is missing: the ring was full",
    ]);
    expect(capture.missing).toBe(4);
  });

  it("counts no packet twice that a gap has shown, or will", () => {
    service().socket.say(lost("queue", 5, { first: 2, last: 6 }));
    service().socket.say(lost("ended", 2, { first: 0, last: 1 }));
    expect([losses(), capture.missing]).toEqual([[], 0]);
  });

  const more = (sequence: number) => {
    const message = pack([Uint8Array.of(0x45)]);
    new DataView(message).setBigUint64(16, BigInt(sequence), true);
    service().socket.say(message);
  };

  it("keeps what came when the adapter has a new session, and marks where it began", () => {
    capture.show({ guid: "{a}", name: "A" }, "b");
    service().socket.accept();
    service().socket.say(HELLO);
    more(0);
    expect([capture.ring.count, capture.missing, losses()]).toEqual([
      4,
      0,
      ["A new session of this adapter began."],
    ]);
  });

  it("keeps what came when the session goes, and when the adapter does", () => {
    capture.show({ guid: "{a}", name: "A" }, null);
    expect([capture.ring.count, capture.session.value]).toEqual([2, "a"]);
  });

  it("knows an adapter that was made anew by its name, and marks where it began", () => {
    capture.show({ guid: "{another}", name: "A" }, "b");
    expect(capture.ring.count).toBe(2);
    service().socket.accept();
    service().socket.say(HELLO);
    expect(losses()).toEqual([
      "This adapter was created again with another GUID. The packets below are of the new one.",
    ]);
  });

  it("takes an adapter for the same after the service was started again", () => {
    capture.renew();
    capture.show({ guid: "{another}", name: "A" }, "b");
    service().socket.accept();
    service().socket.say(HELLO);
    expect(losses()).toEqual(["A new session of this adapter began."]);
  });

  it("counts what it missed while another adapter was shown", () => {
    capture.show({ guid: "{b}", name: "B" }, "c");
    expect([capture.ring.count, capture.arrived]).toEqual([0, 0]);
    capture.show({ guid: "{a}", name: "A" }, "a");
    service().socket.accept();
    service().socket.say({ ...HELLO, next_sequence: { received: 9, injected: 0 } });
    expect([capture.ring.count, capture.arrived, capture.missing]).toEqual([3, 2, 7]);
    expect(losses()[0]).toContain("7 packets from host are missing (sequence 2 to 8)");
  });

  it("says whose packets went when there was no more room for them", () => {
    const dropped: string[] = [];
    capture.onDropped = (names) => dropped.push(...names);
    for (const name of ["B", "C", "D", "E"]) {
      capture.show({ guid: `{${name}}`, name }, name);
      service().socket.accept();
      service().socket.say(HELLO);
      more(0);
    }
    expect(dropped).toEqual(["A"]);
  });

  it("keeps the newest that fit when fewer are to be kept, also of other adapters", () => {
    capture.show({ guid: "{b}", name: "B" }, "c");
    service().socket.accept();
    service().socket.say(HELLO);
    for (const sequence of [0, 1, 2]) more(sequence);
    capture.bound({ packets: 1, bytes: 1e6 });
    const { ring } = capture;
    expect([ring.first, ring.end, ring.evicted, ring.sequence(2)]).toEqual([2, 3, 2, 2]);
    more(3);
    expect([capture.ring.end, capture.arrived, capture.missing]).toEqual([4, 4, 0]);
    capture.show({ guid: "{a}", name: "A" }, "a");
    expect([capture.ring.first, capture.ring.end, capture.arrived]).toEqual([1, 2, 2]);
  });

  it("closes its stream while the page is left, and counts what it missed meanwhile", () => {
    const before = service().socket;
    capture.leave();
    expect([before.closed, capture.state.value.name]).toEqual([true, "idle"]);
    capture.comeBack();
    service().socket.accept();
    service().socket.say({ ...HELLO, next_sequence: { received: 3, injected: 0 } });
    expect([capture.arrived, capture.missing]).toEqual([2, 1]);
  });

  it("goes on while a file is shown, and is there when that is closed", () => {
    const ring = new PacketRing({ packets: 4, bytes: Infinity });
    capture.open({ name: "a.pcap", ring, faults: [], hasDirections: true });
    service().socket.say(pack([Uint8Array.of(0x45)]));
    expect([capture.ring, capture.arrived, capture.missing]).toEqual([ring, 0, 0]);
    capture.clear(); // a file is closed, not cleared
    capture.open(null);
    expect([capture.ring.count, capture.arrived]).toEqual([3, 3]);
  });

  it("subscribes to nothing before a view wants packets", () => {
    const other = new CaptureModel(
      newClient(),
      new TrafficModel(),
      new EngineModel(workerInProcess),
    );
    const count = service().sockets.length;
    other.show({ guid: "{a}", name: "A" }, "a");
    expect(service().sockets.length).toBe(count);
    other.want();
    expect(service().sockets.length).toBe(count + 1);
    other.forget();
    other.engine.dispose();
  });
});

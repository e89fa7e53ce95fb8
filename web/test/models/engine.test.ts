import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineModel, type WorkerPort, workerInProcess } from "../../src/models/engine";
import { PacketRing } from "../../src/models/packet-ring";
import { rowText } from "../../src/models/packet-text";
import { udp } from "../../src/packet/build";
import { type Batch, pack, unpack } from "../../src/wire/batch";
import { ipv4, tcp, text } from "../packet/made";

/** Packets of IPv4 whose protocols these are. */
function batch(...protocols: number[]): Batch {
  const packets = protocols.map((protocol) => {
    const packet = new Uint8Array(20);
    packet[0] = 0x45;
    packet[9] = protocol;
    return packet;
  });
  const [made] = unpack(pack(packets));
  if (made === undefined) throw new Error("No batch.");
  return made;
}

describe("the engine", () => {
  let ring: PacketRing;
  let engine: EngineModel;
  let workers: WorkerPort[];

  beforeEach(() => {
    ring = new PacketRing({ packets: 100, bytes: 1e6 });
    workers = [];
    engine = new EngineModel(() => {
      const worker = workerInProcess();
      workers.push(worker);
      return worker;
    }, ring);
    engine.start();
  });
  afterEach(() => engine.dispose());

  const take = (...protocols: number[]) => {
    const one = batch(...protocols);
    ring.take(one);
    engine.feed([one]);
  };
  const shown = async () => {
    await engine.settled();
    return Array.from({ length: engine.rows.count }, (_, index) => engine.rows.at(index));
  };

  it("shows what passes of what was there and of what comes", async () => {
    take(6, 17, 6);
    engine.filter("proto == 6");
    expect(await shown()).toEqual([0, 2]);
    take(17, 6);
    expect(await shown()).toEqual([0, 2, 4]);
    engine.filter("proto == 17");
    expect(await shown()).toEqual([1, 3]);
    engine.filter("");
    expect(await shown()).toEqual([0, 1, 2, 3, 4]);
  });

  it("says where a segment goes on with an earlier one, and filters by that", async () => {
    const data = text("PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\n\r\n");
    const segments = [data.subarray(0, 40), data.subarray(40)].map((part, index) => {
      const segment = tcp(80, part);
      new DataView(segment.buffer).setUint32(4, 40 * index);
      return ipv4(6, segment);
    });
    const [one] = unpack(pack(segments));
    if (one === undefined) throw new Error("No batch.");
    ring.take(one);
    engine.feed([one]);
    engine.filter('http.request.method == "GET"');
    expect(await shown()).toEqual([1]);
    const told = new Promise<void>((resolve) => {
      engine.onChange = resolve;
    });
    expect(engine.begins(1)).toBe(0);
    await told;
    expect(engine.begins(1)).toBe(data.length - 40 - "GET / HTTP/1.1\r\n\r\n".length);
    expect(rowText({ ring, engine }, 1).info).toContain("GET / HTTP/1.1");
  });

  it("says that rows are pending until they were looked at", async () => {
    take(6, 17, 6);
    engine.filter("proto == 6");
    expect(engine.pending).toBe(3);
    await engine.settled();
    expect(engine.pending).toBe(0);
  });

  it("begins anew on another ring", async () => {
    take(6, 6);
    engine.filter("proto == 6");
    await engine.settled();
    const other = new PacketRing({ packets: 10, bytes: 1e6 }, 5);
    other.take(batch(17, 6));
    engine.attach(other);
    expect(await shown()).toEqual([6]);
  });

  it("forgets what was cleared", async () => {
    take(6, 6);
    engine.filter("proto == 6");
    await engine.settled();
    ring.clear();
    engine.clear();
    take(6);
    expect(await shown()).toEqual([2]);
  });

  it("starts a worker that failed anew, says so, and shows the same", async () => {
    take(6, 17, 6);
    engine.filter("proto == 6");
    await engine.settled();
    workers[0]?.onerror?.(new ErrorEvent("error", { message: "Out of memory." }));
    expect(engine.state.value).toEqual({ name: "restarted", reason: "Out of memory." });
    take(6);
    expect(await shown()).toEqual([0, 2, 3]);
    expect([engine.restarts, workers.length]).toEqual([1, 2]);
  });

  it("gives up on a worker that fails again and again", () => {
    for (let i = 0; i < 5; i++) workers.at(-1)?.onerror?.(new ErrorEvent("error"));
    expect(engine.state.value.name).toBe("failed");
    expect(workers.length).toBe(5);
  });

  it("starts one anew that falls a whole ring behind", () => {
    for (let i = 0; i < 5; i++) {
      take(...Array.from({ length: 30 }, () => 6));
      void engine.settled(); // does not wait for more
    }
    expect(engine.state.value.name).toBe("restarted");
  });

  it("asks for the notes of a row, and tells when they came", async () => {
    take(6);
    expect(engine.notes(0)).toBeUndefined();
    await expect.poll(() => engine.version.value).toBeGreaterThan(0);
    expect(engine.notes(0)).toEqual([]);
  });

  it("asks again for a row that was shown before its answer came", async () => {
    const echo = (type: number) => {
      const [one] = unpack(pack([ipv4(1, Uint8Array.of(type, 0, 0, 0, 0, 7, 0, 1))]));
      if (one === undefined) throw new Error("No batch.");
      ring.take(one);
      engine.feed([one]);
    };
    echo(8);
    engine.notes(0);
    await expect.poll(() => engine.version.value).toBe(1);
    expect(engine.notes(0)).toEqual([]);
    echo(0);
    engine.notes(0); // which is not asked again before the notes came
    await expect.poll(() => engine.version.value, { timeout: 5000 }).toBe(2);
    expect(engine.notes(0)?.length).toBeGreaterThan(0);
  });

  const talk = (source: number, destination: number) => {
    const ends = { source: Uint8Array.of(10, 0, 0, 1), destination: Uint8Array.of(10, 0, 0, 2) };
    const data = new TextEncoder().encode("hello");
    const packet = udp({ ...ends, sourcePort: source, destinationPort: destination, data });
    const [one] = unpack(pack([packet]));
    if (one === undefined) throw new Error("No batch.");
    ring.take(one);
    engine.feed([one]);
  };

  it("tells of conversations while somebody watches, and what one of them said", async () => {
    talk(1000, 2000);
    const done = engine.watchConversations();
    await expect.poll(() => engine.conversations.value.length).toBe(1);
    talk(1000, 3000);
    await expect.poll(() => engine.conversations.value.length).toBe(2);
    const [first] = engine.conversations.value;
    expect(first).toMatchObject({ sourcePort: 1000, destinationPort: 2000, packets: [1, 0] });
    const followed = await engine.follow(first?.id ?? 0, "udp");
    expect(followed?.chunks.length).toBe(1);
    done();
  });

  it("counts packets once, whichever worker saw them", async () => {
    const sums: number[] = [];
    engine.onCounts = (counts) => {
      for (const { packets } of counts) sums.push(packets.reduce((sum, one) => sum + one, 0));
    };
    take(6, 17);
    await expect.poll(() => sums).toEqual([2]);
    workers[0]?.onerror?.(new ErrorEvent("error"));
    take(17);
    await expect.poll(() => sums).toEqual([2, 1]);
  });
});

import { describe, expect, it } from "vitest";
import { type Counters, TrafficModel } from "../../src/models/traffic";
import { parseAddress } from "../../src/packet/address";
import { tcp, udp } from "../../src/packet/build";
import { type Batch, pack, unpack } from "../../src/wire/batch";
import { KINDS } from "../../src/worker/messages";

const SECOND = 1_790_000_000;

function counters(packets: number, queue = 0): Counters {
  const traffic = { packets, bytes: packets * 100 };
  return {
    received: traffic,
    injected: { packets: 0, bytes: 0 },
    lost: { ring: null, unclaimed: 0, queue, ring_full: 0, rejected: { too_short: 0 } },
  };
}

function batchOf(packets: readonly Uint8Array[]): Batch {
  const [batch] = unpack(pack(packets));
  if (batch === undefined) throw new Error("No batch.");
  return batch;
}

function between(source: string, destination: string, port: number, size = 0): Uint8Array {
  const ends = {
    source: parseAddress(source) ?? new Uint8Array(4),
    destination: parseAddress(destination) ?? new Uint8Array(4),
  };
  const data = new Uint8Array(size);
  return port === 53
    ? udp({ ...ends, sourcePort: 5000, destinationPort: port, data })
    : tcp({ ...ends, sourcePort: 5000, destinationPort: port, sequence: 0, data });
}

describe("the traffic model", () => {
  it("makes rates of two samples of the counters", () => {
    const traffic = new TrafficModel();
    traffic.sample(counters(0), SECOND * 1000);
    traffic.sample(counters(500, 20), SECOND * 1000 + 2000);
    expect(traffic.times).toEqual([SECOND + 2]);
    expect([traffic.series.receivedPackets, traffic.series.queue]).toEqual([[250], [10]]);
  });

  it("sums a cause over its reasons, and takes one that is not counted for none", () => {
    const traffic = new TrafficModel();
    const refused = { link_down: 20, host: 2 };
    traffic.sample({ ...counters(0), lost: { ring: null } }, SECOND * 1000);
    traffic.sample({ ...counters(0), lost: { ring: 4, ended: 6, refused } }, SECOND * 1000 + 2000);
    const { ring, ended, refused: host, truncated } = traffic.series;
    expect([ring, ended, host, truncated]).toEqual([[2], [3], [11], [0]]);
  });

  it("takes counters that went back for those of a session that began anew", () => {
    const traffic = new TrafficModel();
    for (const [index, packets] of [1000, 0, 10].entries()) {
      traffic.sample(counters(packets), (SECOND + index) * 1000);
    }
    expect(traffic.series.receivedPackets).toEqual([0, 10]);
  });

  it("keeps five minutes", () => {
    const traffic = new TrafficModel();
    for (let i = 0; i < 400; i++) traffic.sample(counters(i), (SECOND + i) * 1000);
    expect(traffic.times.length).toBe(300);
    expect(traffic.series.ring.length).toBe(300);
  });

  it("splits the last minute by protocol", () => {
    const traffic = new TrafficModel();
    const counts = (second: number, tls: number, dns: number) => {
      const packets = KINDS.map((kind) => (kind === "TLS" ? tls : kind === "DNS" ? dns : 0));
      traffic.addCounts([{ second, packets, bytes: packets.map((count) => 100 * count) }]);
    };
    counts(SECOND - 100, 5, 5);
    counts(SECOND, 2, 1);
    counts(SECOND + 1, 0, 2);
    expect(traffic.split()).toEqual([
      { kind: "DNS", packets: 3, bytes: 300 },
      { kind: "TLS", packets: 2, bytes: 200 },
    ]);
  });

  it("names those who talk most, both directions together, for two minutes", () => {
    const traffic = new TrafficModel();
    const there = between("10.0.0.1", "10.0.0.2", 9000, 100);
    const back = between("10.0.0.2", "10.0.0.1", 9000, 200);
    traffic.count(batchOf([there]), SECOND);
    traffic.count({ ...batchOf([back]), injected: true }, SECOND);
    traffic.count(batchOf([between("fd06::1", "fd06::2", 53)]), SECOND);
    const [first, second] = traffic.conversations.top(5);
    expect(first).toEqual({
      a: "10.0.0.1",
      b: "10.0.0.2",
      packets: 2,
      receivedBytes: 140,
      injectedBytes: 240,
    });
    expect(second).toMatchObject({ a: "fd06::1", b: "fd06::2", packets: 1 });
    traffic.conversations.advance(SECOND + 130);
    expect(traffic.conversations.top(5)).toEqual([]);
  });

  it("keeps the loudest when there are more than it has room for", () => {
    const traffic = new TrafficModel();
    const loud = between("10.0.0.1", "10.0.0.2", 9000, 1000);
    for (let i = 0; i < 5000; i++) {
      const quiet = between(`10.1.${i >> 8}.${i & 255}`, "10.0.0.2", 9000);
      traffic.count(batchOf(i % 20 ? [quiet] : [quiet, loud]), SECOND);
    }
    expect(traffic.conversations.top(1)[0]).toMatchObject({ a: "10.0.0.1", b: "10.0.0.2" });
  });
});

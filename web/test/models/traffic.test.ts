import { describe, expect, it } from "vitest";
import { groupWord } from "../../src/models/conversations";
import type { Counters } from "../../src/models/history";
import { TrafficModel } from "../../src/models/traffic";
import { trafficCsv } from "../../src/models/traffic-csv";
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

const ONE = "deadbabe-cafe-beef-0123-456789abcdef";
const TWO = "deadbabe-cafe-beef-0123-456789abcde0";

/** Let so many packets a second be counted, for so many seconds. */
function sampled(traffic: TrafficModel, adapter: string, rate: number, seconds = 60): void {
  for (let i = 0; i <= seconds; i++) {
    traffic.sample(adapter, `session of ${adapter}`, counters(i * rate), (SECOND + i) * 1000);
  }
}

function counted(traffic: TrafficModel, second: number, tls: number, dns: number): void {
  const packets = KINDS.map((kind) => (kind === "TLS" ? tls : kind === "DNS" ? dns : 0));
  traffic.addCounts([{ second, packets, bytes: packets.map((count) => 100 * count) }]);
}

describe("the traffic model", () => {
  it("gives the rates of one adapter, or of all together", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 10);
    sampled(traffic, TWO, 5);
    const bins = traffic.bins(60);
    const last = (adapter: string | null) => traffic.rates("receivedPackets", bins, adapter).at(-1);
    expect([last(ONE), last(TWO), last(null), last("none")]).toEqual([10, 5, 15, null]);
  });

  it("has points of a second, and of averages where the range is long", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 10, 600);
    const widths = [60, 300, 900, 3600].map((range) => {
      const { ends, width } = traffic.bins(range);
      return [width, ends.length];
    });
    expect(widths).toEqual([
      [1, 60],
      [1, 300],
      [5, 180],
      [15, 240],
    ]);
    const rates = traffic.rates("receivedPackets", traffic.bins(3600), ONE);
    expect([rates[0], rates.at(-1)]).toEqual([null, 10]);
  });

  it("goes on where no counters come, and knows nothing of that time", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 10);
    traffic.tick((SECOND + 62) * 1000);
    expect(traffic.bins(60).ends.at(-1)).toBe(SECOND + 60);
    traffic.tick((SECOND + 70) * 1000);
    const rates = traffic.rates("receivedPackets", traffic.bins(60), ONE);
    expect([rates[0], rates[49], rates[50]]).toEqual([10, 10, null]);
  });

  it("keeps the figures of 64 adapters, and counts the others", () => {
    const traffic = new TrafficModel();
    for (let i = 0; i < 70; i++) traffic.sample(`${i}`, "a", counters(0), SECOND * 1000);
    expect(traffic.forgotten).toBe(6);
  });

  it("splits a range by protocol, most bytes first", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 1);
    counted(traffic, SECOND - 100, 5, 5);
    counted(traffic, SECOND + 58, 2, 1);
    counted(traffic, SECOND + 59, 0, 2);
    expect(traffic.split(60)).toEqual([
      { kind: "DNS", packets: 3, bytes: 300 },
      { kind: "TLS", packets: 2, bytes: 200 },
    ]);
    expect(traffic.split(300)[0]).toEqual({ kind: "DNS", packets: 8, bytes: 800 });
  });

  it("draws no second of protocols that is not over", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 1);
    counted(traffic, SECOND + 59, 7, 0);
    counted(traffic, SECOND + 60, 3, 0);
    const rates = traffic.kindRates("packets", traffic.bins(60)).TLS;
    expect(rates.slice(-3)).toEqual([0, 7, null]);
  });

  it("keeps the protocols of an adapter while another one is shown", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 1);
    traffic.show(ONE);
    counted(traffic, SECOND + 59, 7, 0);
    traffic.show(TWO);
    expect(traffic.split(60)).toEqual([]);
    traffic.show(ONE);
    expect(traffic.split(60)).toEqual([{ kind: "TLS", packets: 7, bytes: 700 }]);
  });

  it("marks what happened to an adapter, or to none", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 1);
    traffic.mark((SECOND - 100) * 1000, "Too old.", ONE);
    traffic.mark((SECOND + 10) * 1000, "One.", ONE);
    traffic.mark((SECOND + 20) * 1000, "Two.", TWO);
    traffic.mark((SECOND + 30) * 1000, "A capture.", null);
    const texts = (adapter: string | null) => traffic.marksOf(60, adapter).map(({ text }) => text);
    expect(texts(ONE)).toEqual(["One.", "A capture."]);
    expect(texts(null)).toEqual(["One.", "Two.", "A capture."]);
  });

  it("writes the points as a table, what is not known empty", () => {
    const traffic = new TrafficModel();
    sampled(traffic, ONE, 10, 30);
    const lines = trafficCsv(traffic, traffic.bins(60), ONE, true).split("\r\n");
    const head = lines[0]?.split(",") ?? [];
    expect(head.slice(0, 3)).toEqual(["time", "seconds", "from_host_packets_per_second"]);
    expect(head).toContain("lost_queue_per_second");
    expect(head).toContain("discarded_unclaimed_per_second");
    expect(head).toContain("tls_bytes_per_second");
    expect(lines[1]?.split(",")[2]).toBe("");
    expect(lines[60]?.split(",").slice(0, 4)).toEqual([
      new Date((SECOND + 30) * 1000).toISOString(),
      "1",
      "10",
      "1000",
    ]);
    expect(new Set(lines.slice(0, -1).map((line) => line.split(",").length))).toEqual(
      new Set([head.length]),
    );
  });

  it("puts the host's own end first", () => {
    const traffic = new TrafficModel();
    traffic.count(batchOf([between("fd06::9", "fd06::2", 53)]), SECOND);
    const answer = batchOf([between("10.0.0.2", "10.0.0.9", 9000)]);
    traffic.count({ ...answer, injected: true }, SECOND);
    const ends = traffic.conversations.top(2).map(({ a, b }) => [a, b]);
    expect(ends.sort()).toEqual([
      ["10.0.0.9", "10.0.0.2"],
      ["fd06::9", "fd06::2"],
    ]);
  });

  it("knows what is no address of a host", () => {
    const own = ["10.6.7.7/24", "192.0.2.1/31", "fd06::7/64"];
    const words = ["224.0.0.251", "ff02::fb", "255.255.255.255", "10.6.7.255", "10.6.7.7"];
    expect(
      [...words, "fd06::9", "192.0.2.1", "10.6.8.255"].map((one) => groupWord(one, own)),
    ).toEqual(["multicast", "multicast", "broadcast", "broadcast", "", "", "", ""]);
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

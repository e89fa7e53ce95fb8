import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import type { Conversation } from "../../src/analysis/conversation";
import type { CaptureModel } from "../../src/models/capture";
import { ConversationListModel } from "../../src/models/conversation-list";
import { endText, filterOf, spanText, waysToFollow } from "../../src/models/conversation-text";

const ONE: Conversation = {
  id: 1,
  protocol: 6,
  stream: 0,
  application: "",
  hasHttp: false,
  source: "10.0.0.1",
  sourcePort: 1000,
  destination: "10.0.0.2",
  destinationPort: 443,
  fromHost: true,
  packets: [3, 2],
  bytes: [300, 200],
  hostPackets: [3, 2],
  hostBytes: [300, 200],
  startNs: 1_000_000_000n,
  endNs: 2_000_000_000n,
  rttNs: null,
  state: "established",
  retransmissions: 0,
  firstRow: 0,
  lastRow: 4,
};

function listOf(...all: Partial<Conversation>[]) {
  const conversations = signal<readonly Conversation[]>(
    all.map((one, index) => ({ ...ONE, id: index + 1, ...one })),
  );
  const file = signal<{ hasDirections: boolean } | null>(null);
  const capture = { engine: { conversations }, file } as unknown as CaptureModel;
  const list = new ConversationListModel(capture);
  return { list, file, ids: () => list.rows.value.map(({ id }) => id) };
}

describe("the list", () => {
  it("has the newest first", () => {
    expect(listOf({}, {}, {}).ids()).toEqual([3, 2, 1]);
  });

  it("finds what has all words, in addresses, ports, protocol or state", () => {
    const { list, ids } = listOf({}, { application: "TLS" }, { state: "closed" });
    list.search.value = "10.0.0.2:443 closed";
    expect(ids()).toEqual([3]);
    list.search.value = "tls TCP";
    expect(ids()).toEqual([2]);
  });

  it("sorts addresses by their numbers", () => {
    const { list, ids } = listOf({ source: "10.0.0.10" }, { source: "9.0.0.1" });
    list.sort("source");
    expect(ids()).toEqual([2, 1]);
    list.sort("source");
    expect(ids()).toEqual([1, 2]);
  });

  it("begins with the largest number", () => {
    const { list, ids } = listOf({ hostBytes: [1, 9] }, { hostBytes: [5, 1] });
    list.sort("fromBytes");
    expect(ids()).toEqual([2, 1]);
    list.sort("toBytes");
    expect(ids()).toEqual([1, 2]);
  });

  it("counts by opener where a file has no directions", () => {
    const { list, file } = listOf({ packets: [7, 8] });
    file.value = { hasDirections: false };
    expect(list.amounts(list.rows.value[0] as Conversation)).toEqual([7, 8, 300, 200]);
  });

  it("moves the selection, and stays inside", () => {
    const { list } = listOf({}, {}, {});
    list.move(1);
    expect(list.selected.value).toBe(3);
    list.move(99);
    expect(list.selected.value).toBe(1);
  });

  it("keeps the selected one while a search hides it", () => {
    const { list } = listOf({}, {});
    list.selected.value = 1;
    list.search.value = "nobody";
    expect(list.current?.id).toBe(1);
  });
});

describe("texts", () => {
  it("filter by stream where there is one, else by the ends", () => {
    expect(filterOf({ ...ONE, stream: 5 })).toBe("tcp.stream == 5");
    const ping = { ...ONE, protocol: 58, stream: -1, source: "fd00::1", destination: "fd00::2" };
    expect(filterOf(ping)).toBe("icmpv6 and ipv6.addr == fd00::1 and ipv6.addr == fd00::2");
  });

  it("put an address of IPv6 into brackets before a port", () => {
    expect(endText("fd00::1", 80)).toBe("[fd00::1]:80");
    expect(endText("fd00::1", -1)).toBe("fd00::1");
  });

  it("say times in the unit that fits", () => {
    expect([0, 0.000025, 0.0032, 0.25, 1.5, 250].map(spanText)).toEqual([
      "",
      "25\u00a0µs",
      "3.2\u00a0ms",
      "250\u00a0ms",
      "1.50\u00a0s",
      "250\u00a0s",
    ]);
  });

  it("offer HTTP before TCP, and nothing for pings", () => {
    expect(waysToFollow({ ...ONE, application: "HTTP", hasHttp: true })).toEqual(["http", "tcp"]);
    expect(waysToFollow({ ...ONE, application: "TLS", hasHttp: true })).toEqual(["tcp", "http"]);
    expect(waysToFollow({ ...ONE, protocol: 1 })).toEqual([]);
  });
});

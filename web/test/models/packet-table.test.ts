/** Packets that are gone to by their number, as it is typed or stands in an address. */

import { beforeEach, describe, expect, it } from "vitest";
import { CaptureModel } from "../../src/models/capture";
import { EngineModel, workerInProcess } from "../../src/models/engine";
import { PacketRing } from "../../src/models/packet-ring";
import { PacketTableModel } from "../../src/models/packet-table";
import { TrafficModel } from "../../src/models/traffic";
import { pack, unpack } from "../../src/wire/batch";
import { newClient } from "../fake-service";

function fill(ring: PacketRing, count: number): void {
  const packets = Array.from({ length: count }, () => Uint8Array.of(0x45));
  for (const batch of unpack(pack(packets))) ring.append(batch);
}

describe("a packet that is gone to by its number", () => {
  let table: PacketTableModel;

  beforeEach(() => {
    const engine = new EngineModel(workerInProcess);
    const capture = new CaptureModel(newClient(), new TrafficModel(), engine);
    capture.bound({ packets: 3, bytes: 1e6 });
    table = new PacketTableModel(capture, () => undefined);
  });

  it("is selected, and brought into view", async () => {
    fill(table.capture.ring, 3);
    expect(await table.goTo(" 2 ")).toBe("");
    expect([table.selected.value?.row, table.revealed.value, table.following.value]).toEqual([
      1,
      1,
      false,
    ]);
  });

  it.each(["abc", "-5", "0", "1.5", "1,5", "0x10", "9".repeat(40)])(
    "has a number: %s is none",
    async (text) => {
      expect(await table.goTo(text)).toMatch(/^“.{1,20}” is not a packet number/);
    },
  );

  it("may not have come yet, or no longer be kept", async () => {
    expect(await table.goTo("1")).toBe("There is no packet 1 yet: no packet has arrived so far.");
    fill(table.capture.ring, 5);
    expect(await table.goTo("1,234")).toBe("There is no packet 1,234 yet: the last one is 5.");
    expect(await table.goTo("2")).toBe("Packet 2 is no longer kept: newer ones took its place.");
    expect(await table.goTo("3")).toBe("");
    table.capture.clear();
    expect(await table.goTo("3")).toBe("There is no packet 3 yet: no packet has arrived so far.");
  });

  it("is not said to be hidden before the filter has looked at it", async () => {
    table.capture.engine.start();
    fill(table.capture.ring, 3);
    table.capture.open(null); // the worker is told of them
    table.filter("frame.number == 2");
    expect(await table.goTo("2")).toBe("");
    expect(table.revealed.value).toBe(1);
    table.filter("frame.number == 3");
    expect(await table.goTo("2")).toBe("The filter hides packet 2; its details are shown below.");
    table.capture.engine.dispose();
  });

  it("is not said to be hidden by a filter when it came after the pause", async () => {
    fill(table.capture.ring, 1);
    table.pause(true);
    fill(table.capture.ring, 1);
    expect(await table.goTo("2")).toBe(
      "Packet 2 came after the pause; its details are shown below.",
    );
  });

  it("is not in a file that has fewer", async () => {
    const ring = new PacketRing({ packets: 9, bytes: 1e6 });
    fill(ring, 4);
    table.capture.open({ name: "a.pcap", ring, faults: [], hasDirections: true });
    expect(await table.goTo("5")).toBe("The file has no packet 5: the last one is 4.");
  });

  it("is no packet where some are missing", async () => {
    const loss = { cause: "queue", injected: false, count: 9, first: null, last: null };
    table.capture.ring.appendLoss(loss, 0n);
    expect(await table.goTo("1")).toBe("Row 1 marks missing packets.");
  });
});

describe("what is selected", () => {
  const newTable = () => {
    const engine = new EngineModel(workerInProcess);
    const capture = new CaptureModel(newClient(), new TrafficModel(), engine);
    return new PacketTableModel(capture, () => undefined);
  };
  const fileOf = (ring: PacketRing) => ({ name: "a.pcap", ring, faults: [], hasDirections: true });

  it("is selected again when its packets are shown again", () => {
    const table = newTable();
    fill(table.capture.ring, 5);
    table.select(3);
    const ring = new PacketRing({ packets: 9, bytes: 1e6 });
    fill(ring, 9);
    table.capture.open(fileOf(ring));
    expect([table.selected.value, table.following.value]).toEqual([null, false]);
    table.select(7);
    table.capture.open(null);
    expect([table.selected.value?.row, table.following.value]).toEqual([3, false]);
    table.capture.open(fileOf(ring));
    expect(table.selected.value?.row).toBe(7);
  });

  it("stays selected, and paused, when another number of packets is kept", () => {
    const table = newTable();
    fill(table.capture.ring, 5);
    table.select(3);
    table.pause(true);
    table.capture.bound({ packets: 4, bytes: 1e6 });
    expect([table.selected.value?.row, table.paused.value, table.rows.count]).toEqual([3, true, 4]);
    expect(table.capture.ring.hold).toBe(true);
  });
});

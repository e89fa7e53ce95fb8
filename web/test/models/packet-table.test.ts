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

  it("is selected, and brought into view", () => {
    fill(table.capture.ring, 3);
    expect(table.goTo(" 2 ")).toBe("");
    expect([table.selected.value?.row, table.revealed.value, table.following.value]).toEqual([
      1,
      1,
      false,
    ]);
  });

  it.each(["abc", "-5", "0", "1.5", "0x10", "9".repeat(40)])("has a number: %s is none", (text) => {
    expect(table.goTo(text)).toMatch(/^“.{1,20}” is not a packet number/);
  });

  it("may not have come yet, or no longer be kept", () => {
    expect(table.goTo("1")).toBe("There is no packet 1 yet: no packet has arrived so far.");
    fill(table.capture.ring, 5);
    expect(table.goTo("1234")).toBe("There is no packet 1,234 yet: the last one is 5.");
    expect(table.goTo("2")).toBe("Packet 2 is no longer kept: newer ones took its place.");
    expect(table.goTo("3")).toBe("");
    table.capture.clear();
    expect(table.goTo("3")).toBe("There is no packet 3 yet: no packet has arrived so far.");
  });

  it("is not in a file that has fewer", () => {
    const ring = new PacketRing({ packets: 9, bytes: 1e6 });
    fill(ring, 4);
    table.capture.open({ name: "a.pcap", ring, faults: [], hasDirections: true });
    expect(table.goTo("5")).toBe("The file has no packet 5: the last one is 4.");
  });

  it("is no packet where some are missing", () => {
    const loss = { cause: "queue", injected: false, count: 9, first: null, last: null };
    table.capture.ring.appendLoss(loss, 0n);
    expect(table.goTo("1")).toBe("Row 1 marks missing packets.");
  });
});

import { describe, expect, it } from "vitest";
import type { ServiceEvent } from "../../src/api/events";
import { EventLogModel } from "../../src/models/event-log";
import { adapter, session, TIME } from "../examples";

const created = (id: number): ServiceEvent => ({
  type: "adapter.created",
  id,
  time: TIME,
  data: adapter(),
});
const failed = (id: number): ServiceEvent => ({
  type: "session.failed",
  id,
  time: TIME,
  data: session({ reason: "The adapter is gone." }),
});
const said = (id: number): ServiceEvent => ({
  type: "driver.log",
  id,
  time: TIME,
  data: { level: "warn", message: "Removing orphan" },
});
const ids = (log: EventLogModel) => log.shown().map((entry) => entry.id);

describe("the event log", () => {
  it("keeps a thousand", () => {
    const log = new EventLogModel();
    for (let id = 0; id < 1005; id++) log.add(created(id));
    expect([log.count, ids(log)[0]]).toEqual([1000, 5]);
  });

  it("puts the past in front, each event once", () => {
    const log = new EventLogModel();
    log.add(created(3));
    log.addPast([created(1), created(2), created(3)]);
    expect(ids(log)).toEqual([1, 2, 3]);
  });

  it("shows the least level and what is above it", () => {
    const log = new EventLogModel();
    for (const event of [created(1), failed(2), said(3)]) log.add(event);
    log.least.value = "warning";
    expect(ids(log)).toEqual([2, 3]);
    log.least.value = "error";
    expect(ids(log)).toEqual([2]);
  });

  it("tells the driver's lines from the service's", () => {
    const log = new EventLogModel();
    for (const event of [created(1), said(2)]) log.add(event);
    log.source.value = "driver";
    expect(ids(log)).toEqual([2]);
    log.source.value = "service";
    expect(ids(log)).toEqual([1]);
  });

  it("finds words in whatever case", () => {
    const log = new EventLogModel();
    for (const event of [created(1), failed(2)]) log.add(event);
    log.text.value = "officeNET";
    expect(ids(log)).toEqual([1]);
  });

  it("is copied as it is shown", () => {
    const log = new EventLogModel();
    for (const event of [created(1), failed(2)]) log.add(event);
    log.least.value = "error";
    expect(log.copyText()).toBe(
      "2026-01-02T03:04:05.000Z error   session.failed: " +
        "Session 5f0c9d1e2b3a failed: The adapter is gone.",
    );
  });
});

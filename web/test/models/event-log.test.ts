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

  it("says who changed what, and warns of what was refused", () => {
    const log = new EventLogModel();
    const data = {
      ...{ who: "admin", label: "", browser: true, client: "127.0.0.1", count: 1, status: 201 },
      ...{ operation: "create_adapter", method: "POST", path: "/v1/adapters" },
    };
    const refused = { who: "5f0c", label: "grafana", browser: false, status: 403, count: 3 };
    log.add({ type: "audit.change", id: 1, time: TIME, data });
    log.add({ type: "audit.change", id: 2, time: TIME, data: { ...data, ...refused } });
    log.add({ type: "audit.change", id: 3, time: TIME, data: { ...data, status: null } });
    const asked = "asked for create_adapter, POST /v1/adapters,";
    expect(log.shown().map((one) => [one.level, one.text])).toEqual([
      ["info", `Token admin ${asked} in a browser at 127.0.0.1: 201.`],
      ["warning", `Token 5f0c (grafana) ${asked} from a program at 127.0.0.1: 403, 3 times.`],
      ["warning", `Token admin ${asked} in a browser at 127.0.0.1: no answer.`],
    ]);
  });

  it("says how an operation ended after its request", () => {
    const log = new EventLogModel();
    const done = {
      operation: "delete_adapter",
      reboot_required: false,
      adapter: "guid",
      pool: null,
    };
    const pool = { operation: "delete_pool", reboot_required: true, adapter: null, pool: "Office" };
    const driver = {
      operation: "delete_driver",
      reboot_required: false,
      adapter: null,
      pool: null,
    };
    for (const data of [done, pool, driver]) {
      log.add({ type: "operation.done", id: 1, time: TIME, data });
    }
    const problem = {
      type: "t",
      title: "Failed",
      status: 502,
      detail: "WintunOpenAdapter failed.",
    };
    const data = { operation: "open_adapter", adapter: null, name: "Office", pool: "p", problem };
    log.add({ type: "operation.failed", id: 2, time: TIME, data });
    log.add({ type: "adapter.create_failed", id: 3, time: TIME, data });
    const late = "after its request was answered with 504:";
    expect(log.shown().map((one) => [one.level, one.text])).toEqual([
      ["info", `delete_adapter succeeded ${late} adapter guid was removed.`],
      [
        "warning",
        `delete_pool succeeded ${late} pool Office was removed. Windows needs a reboot to complete this.`,
      ],
      ["info", `delete_driver succeeded ${late} the driver was removed.`],
      ["error", `open_adapter failed ${late} WintunOpenAdapter failed.`],
      ["error", `open_adapter failed ${late} WintunOpenAdapter failed.`],
    ]);
  });

  it("tells of events that this page does not know by their data", () => {
    const log = new EventLogModel();
    const data = {
      who: "admin",
      what: "POST /v1/tokens",
      result: 201,
      more: { a: [1] },
      none: null,
    };
    for (const event of [
      { type: "weather.changed", id: 1, time: TIME, data },
      { type: "greeting", id: 2, time: TIME },
    ]) {
      log.add(event as unknown as ServiceEvent);
    }
    expect(log.shown().map((one) => [one.level, one.text])).toEqual([
      ["info", 'who: admin, what: POST /v1/tokens, result: 201, more: {"a":[1]}'],
      ["info", ""],
    ]);
  });

  it("says why packets were lost, also where the cause is a new one", () => {
    const log = new EventLogModel();
    for (const cause of ["ended", "link_down", "eaten_by_a_grue"]) {
      const data = { session: "a", adapter: "b", cause, count: 1200 };
      log.add({ type: "session.loss", id: 1, time: TIME, data });
    }
    expect(log.shown().map((one) => one.text)).toEqual([
      "Session a lost 1,200 packets: still in a client's queue when its connection ended.",
      "Session a lost 1,200 packets: the link was down.",
      "Session a lost 1,200 packets: eaten by a grue.",
    ]);
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

import { describe, expect, it } from "vitest";
import type { ServiceEvent } from "../../src/api/events";
import { EventLogModel } from "../../src/models/event-log";
import { adapter, capture, fates, GUID, impairment, recorder, session, TIME } from "../examples";

import { FakeStore } from "../fake-service";

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
const AUDIT = {
  ...{ who: "admin", label: "", browser: true, client: "127.0.0.1", count: 1, status: 201 },
  ...{ operation: "create_adapter", method: "POST", path: "/v1/adapters" },
};
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

  it("names an adapter before the event that tells its name", () => {
    const log = new EventLogModel();
    const data = { session: "a", adapter: GUID, cause: "ended", count: 1 };
    const lost = (id: number): ServiceEvent => ({ type: "session.loss", id, time: TIME, data });
    log.add(lost(3));
    const [one] = log.shown();
    expect(one?.text).toContain(GUID);
    log.addPast([lost(1), { ...created(2), type: "adapter.deleted" } as ServiceEvent]);
    expect(log.shown().map((entry) => entry.adapter)).toEqual(Array(3).fill("OfficeNet"));
    for (const { text } of log.shown()) expect(text).toContain("OfficeNet");
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
    log.text.value = "was CREATED";
    expect(ids(log)).toEqual([1]);
  });

  it("says who changed what, and warns of what was refused", () => {
    const log = new EventLogModel();
    const data = AUDIT;
    const refused = { who: "5f0c", label: "grafana", browser: false, status: 403, count: 3 };
    log.add({ type: "audit.change", id: 1, time: TIME, data });
    log.add({ type: "audit.change", id: 2, time: TIME, data: { ...data, ...refused } });
    log.add({ type: "audit.change", id: 3, time: TIME, data: { ...data, status: null } });
    log.audit.value = true;
    const used = "used “create adapter” from";
    const tried = "tried to use “create adapter” from";
    expect(log.shown().map((one) => [one.level, one.text])).toEqual([
      ["info", `Token admin ${used} a browser at 127.0.0.1: succeeded.`],
      ["warning", `Token 5f0c (grafana) ${tried} a program at 127.0.0.1: refused (403), 3 times.`],
      ["warning", `Token admin ${used} a browser at 127.0.0.1: no answer.`],
    ]);
  });

  it("names what a request was about", () => {
    const log = new EventLogModel();
    log.know([adapter()], [session({ id: "5f0c9d1e2b3a", adapter: GUID })]);
    log.source.value = "audit";
    const about = (operation: string, path: string, subject: string | null = null) =>
      log.add({
        type: "audit.change",
        id: 1,
        time: TIME,
        data: { ...AUDIT, operation, path, subject },
      });
    about("create_adapter", "/v1/adapters", `adapter ${GUID}`);
    about("start_session", "/v1/sessions", `session 5f0c9d1e2b3a of adapter ${GUID}`);
    about("end_session", "/v1/sessions/5f0c9d1e2b3a");
    about("create_token", "/v1/tokens", "token 9f86d081 (read)");
    about("revoke_token", "/v1/tokens/9f86d081");
    about("sign_in", "/");
    const objects = log.shown().map(({ text }) => / on (.*) from /.exec(text)?.[1]);
    expect(objects).toEqual([
      "adapter OfficeNet",
      "the session on OfficeNet",
      "the session on OfficeNet",
      "token 9f86d081 (read)",
      "token 9f86d081",
      undefined,
    ]);
    expect(log.shown().map((entry) => entry.adapter)).toEqual([
      "OfficeNet",
      "OfficeNet",
      "OfficeNet",
      "",
      "",
      "",
    ]);
  });

  it("leaves requests that succeeded out of all, and counts them", () => {
    const log = new EventLogModel();
    const add = (status: number) =>
      log.add({ type: "audit.change", id: 1, time: TIME, data: { ...AUDIT, status } });
    for (const status of [201, 403, 204]) add(status);
    expect([log.shown().length, log.folded, log.count]).toEqual([1, 2, 3]);
    log.showAll();
    expect([log.shown().length, log.folded]).toEqual([3, 0]);
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
    const late = "took a long time and has now";
    expect(log.shown().map((one) => [one.level, one.text])).toEqual([
      ["info", `“delete adapter” ${late} succeeded: adapter guid was removed.`],
      [
        "warning",
        `“delete pool” ${late} succeeded: pool Office was removed. Windows needs a reboot to complete this.`,
      ],
      ["info", `“delete driver” ${late} succeeded: the driver was removed.`],
      ["error", `“open adapter” ${late} failed: WintunOpenAdapter failed.`],
      ["error", `“open adapter” ${late} failed: WintunOpenAdapter failed.`],
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
      "Session on b discarded 1,200 packets: left in the queue of a client that disconnected.",
      "Session on b lost 1,200 packets: the link was down.",
      "Session on b lost 1,200 packets: eaten by a grue.",
    ]);
  });

  it("says what an impairment does and did, by the adapter's name", () => {
    const log = new EventLogModel((guid) => (guid === GUID ? "OfficeNet" : guid));
    const progress = { elapsed: 12, step: 1, loops: 2, finished: false };
    const step = { session: "a", adapter: GUID, summary: "received delay 60ms", count: 1 };
    const at = (changes: Partial<typeof progress>) => ({
      ...step,
      scenarios: [{ rule: 1, steps: 2, progress: { ...progress, ...changes } }],
    });
    const lost = impairment({ received: fates(90, { lost: 4, limit: 3, duplicated: 10 }) });
    const one = { session: "a", adapter: GUID, direction: "received" } as const;
    const other = { session: "a", adapter: "other", direction: "injected", rule: 0 } as const;
    const limits = { limit_packets: 1000, limit_bytes: 64 * 1024 * 1024 };
    const full = { ...other, ...limits, packets: 900, bytes: 2048 };
    const of = { id: 1, time: TIME };
    log.add({ ...of, type: "impairment.set", data: impairment() });
    log.add({ ...of, type: "impairment.set", data: impairment({ summary: "nothing" }) });
    log.add({ ...of, type: "impairment.step", data: at({}) });
    log.add({ ...of, type: "impairment.step", data: at({ step: 0, loops: 0 }) });
    log.add({ ...of, type: "impairment.step", data: at({ finished: true }) });
    log.add({ ...of, type: "impairment.step", data: { ...step, scenarios: [] } });
    log.add({ ...of, type: "impairment.removed", data: lost });
    log.add({ ...of, type: "impairment.removed", data: impairment() });
    for (const cause of ["lost", "limit", "blackout", "too_large", "dropped", "new_cause"]) {
      log.add({ ...of, type: "impairment.loss", data: { ...one, cause, count: 1200 } });
    }
    log.add({ ...of, type: "impairment.nearly_full", data: full });
    log.add({ ...of, type: "impairment.loss", data: { ...one, cause: "lost", count: 1 } });
    const loses = "The impairment of adapter OfficeNet lost 1,200 packets from the host:";
    expect(log.shown().map((entry) => [entry.level, entry.text])).toEqual([
      ["warning", "Adapter OfficeNet is impaired: received delay 60ms."],
      ["warning", "Adapter OfficeNet is impaired: nothing."],
      [
        "info",
        "The scenario of adapter OfficeNet is at step 2 of 2, round 3: received delay 60ms.",
      ],
      ["info", "The scenario of adapter OfficeNet is at step 1 of 2: received delay 60ms."],
      ["info", "The scenario of adapter OfficeNet is at its end: received delay 60ms."],
      ["info", "The scenario of adapter OfficeNet is at another step: received delay 60ms."],
      ["info", "Adapter OfficeNet is no longer impaired. It lost 7 of 100 packets."],
      ["info", "Adapter OfficeNet is no longer impaired. No packets passed while it was."],
      ["warning", `${loses} at random.`],
      ["warning", `${loses} the delay queue was full.`],
      ["warning", `${loses} during a blackout.`],
      ["warning", `${loses} larger than the impairment allows.`],
      ["warning", `${loses} still delayed when the impairment changed or ended.`],
      ["warning", `${loses} new cause.`],
      [
        "warning",
        "The impairment of adapter other is holding 900 packets to the host (2\u00a0KiB) in its delay queue. Beyond 1,000 packets or 64\u00a0MiB, it drops packets.",
      ],
      ["warning", "The impairment of adapter OfficeNet lost 1 packet from the host: at random."],
    ]);
  });

  it("sums up what impairments lose until something else happens", () => {
    const log = new EventLogModel();
    const lost = (id: number, changes: object = {}): ServiceEvent => ({
      type: "impairment.loss",
      id,
      time: TIME,
      data: {
        ...{ session: "a", adapter: "b", direction: "received", cause: "lost", count: 10 },
        ...changes,
      } as const,
    });
    log.addPast([lost(1), lost(2, { direction: "injected" }), lost(3)]);
    log.add(lost(4));
    log.add(lost(5, { cause: "limit" }));
    log.add(lost(6));
    log.add(created(7));
    log.add(lost(8));
    const loses = "The impairment of adapter b lost";
    expect(log.shown().map((entry) => [entry.id, entry.text])).toEqual([
      [1, `${loses} 20 packets from the host: at random.`],
      [2, `${loses} 10 packets to the host: at random.`],
      [4, `${loses} 20 packets from the host: at random.`],
      [5, `${loses} 10 packets from the host: the delay queue was full.`],
      [7, expect.stringContaining("was created")],
      [8, `${loses} 10 packets from the host: at random.`],
    ]);
    expect(new Set(log.shown().map(({ key }) => key)).size).toBe(6);
    log.forget();
    log.add(lost(9));
    expect(log.shown().map((entry) => entry.text)).toEqual([
      `${loses} 10 packets from the host: at random.`,
    ]);
    for (let id = 10; id < 1010; id++) log.add(created(id));
    log.add(lost(1010));
    log.add(lost(1011));
    expect([log.count, log.shown().at(-1)?.text]).toEqual([
      1000,
      `${loses} 20 packets from the host: at random.`,
    ]);
  });

  it("says which clients left and came back, and what ends", () => {
    const log = new EventLogModel(() => "OfficeNet");
    const time = new Date(TIME).toTimeString().slice(0, 8);
    const hold = { session: null, adapter: GUID, holders: 0, ends_at: TIME };
    for (const ends of ["session", "adapter", "nothing"] as const) {
      log.add({ type: "session.abandoned", id: 1, time: TIME, data: { ...hold, ends } });
    }
    for (const holders of [1, 2]) {
      const data = { ...hold, holders, ends: "session" as const, ends_at: null };
      log.add({ type: "session.rejoined", id: 2, time: TIME, data });
    }
    const left = "The last client of adapter OfficeNet disconnected;";
    const back = "A client of adapter OfficeNet is back;";
    expect(log.shown().map((entry) => [entry.level, entry.text])).toEqual([
      ["warning", `${left} the session ends at ${time} unless one comes back.`],
      ["warning", `${left} the adapter is deleted at ${time} unless one comes back.`],
      ["info", `${left} nothing else ends.`],
      ["info", `${back} 1 client is connected now.`],
      ["info", `${back} 2 clients are connected now.`],
    ]);
  });

  it("says what is recorded and captured, and how that ends", () => {
    const log = new EventLogModel(() => "OfficeNet");
    const add = (type: string, data: object) =>
      log.add({ type, id: 1, time: TIME, data } as ServiceEvent);
    add("recorder.set", recorder());
    add("recorder.removed", { ...recorder(), reason: "request" });
    add("recorder.removed", { ...recorder(), reason: "failure" });
    add("capture.started", capture());
    add("capture.started", capture({ state: "waiting" }));
    add("capture.triggered", capture());
    add("capture.stopped", capture({ state: "stopped", detail: "A client stopped it." }));
    add("capture.failed", capture({ state: "failed", detail: "The disk is full.", lost: 3 }));
    add("capture.deleted", capture({ state: "stopped" }));
    expect(log.shown().map((entry) => [entry.level, entry.text])).toEqual([
      ["info", "Recording on OfficeNet started: up to 2\u00a0min in 64\u00a0MiB of memory."],
      ["info", "Recording on OfficeNet was switched off. It held 10 packets."],
      ["error", "Recording on OfficeNet failed. It held 10 packets."],
      ["info", "Capture office started."],
      ["info", "Capture office is waiting for its trigger."],
      ["info", "Capture office was triggered and is running."],
      ["info", "Capture office ended: A client stopped it. It has 10 packets (2\u00a0KiB)."],
      [
        "error",
        "Capture office failed: The disk is full. It has 10 packets (2\u00a0KiB); 3 were lost.",
      ],
      ["info", "Capture office and its files were deleted."],
    ]);
  });

  it("says what changed of an adapter", () => {
    const log = new EventLogModel();
    log.know([adapter()]);
    const change = (id: number, changes: object) =>
      log.add({ type: "adapter.changed", id, time: TIME, data: adapter(changes) });
    change(1, { mtu: 1300 });
    change(2, { mtu: 1300, name: "Lab", addresses: ["10.9.9.9/24"] });
    change(3, { guid: "new", name: "Other", mtu: null });
    expect(log.shown().map(({ text }) => text)).toEqual([
      "Adapter OfficeNet changed: MTU 1420 → 1300.",
      "Adapter Lab changed: name OfficeNet → Lab, address 10.6.7.7/24 removed, address 10.9.9.9/24 added.",
      "Adapter Other changed: up, 10.6.7.7/24.",
    ]);
    expect(log.shown().map((entry) => entry.adapter)).toEqual(["OfficeNet", "Lab", "Other"]);
  });

  it("stays clear after it was cleared, also when the page is loaded again", () => {
    const store = new FakeStore();
    const log = new EventLogModel(undefined, store);
    log.add(created(1));
    log.clear();
    expect(log.count).toBe(0);
    const later = { ...created(2), time: new Date(Date.now() + 1000).toISOString() };
    log.add(later);
    expect(ids(log)).toEqual([2]);
    const again = new EventLogModel(undefined, store);
    again.addPast([created(1), later]);
    expect(ids(again)).toEqual([2]);
    again.restore();
    expect(ids(again)).toEqual([1, 2]);
  });

  it("is copied as it is shown", () => {
    const log = new EventLogModel();
    for (const event of [created(1), failed(2)]) log.add(event);
    log.least.value = "error";
    expect(log.copyText()).toBe(
      "2026-01-02T03:04:05.000Z error   session.failed: " +
        "Session on OfficeNet failed: The adapter is gone.",
    );
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CapturesModel } from "../../src/models/captures";
import { capture } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const LIST = "GET /v1/captures";
const ONE = "GET /v1/captures/c0ffee12ab34";

describe("the captures", () => {
  const service = eachWithService();
  let model: CapturesModel;
  beforeEach(() => {
    vi.useFakeTimers();
    model = new CapturesModel(newClient());
  });
  afterEach(() => {
    model.rest();
    vi.useRealTimers();
  });

  const ids = () => model.list.value?.map(({ id }) => id);
  async function watched(...captures: ReturnType<typeof capture>[]) {
    service().answer(LIST, captures);
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(0);
  }
  const second = () => vi.advanceTimersByTimeAsync(1000);

  it("are listed newest first", async () => {
    const old = capture({ id: "old", created_at: "2025-01-02T03:04:05Z", state: "stopped" });
    await watched(old, capture());
    expect(ids()).toEqual(["c0ffee12ab34", "old"]);
  });

  it("are read again one by one while they run, and no more after that", async () => {
    await watched(capture(), capture({ id: "old", state: "stopped" }));
    service().answer(ONE, capture({ packets: 11 }));
    await second();
    expect(model.list.value?.[0]?.packets).toBe(11);
    service().answer(ONE, capture({ state: "stopped" }));
    await second();
    await second();
    expect([service().calls(LIST).length, service().calls(ONE).length]).toEqual([1, 2]);
  });

  it("are not asked for while the page is hidden, nor after the view is left", async () => {
    service().answer(LIST, []);
    let hidden = true;
    model.watch(() => hidden);
    await second();
    expect(service().asked).toEqual([]);
    hidden = false;
    await second();
    model.rest();
    await second();
    expect(service().calls(LIST).length).toBe(1);
  });

  it("are read anew when events may have been missed", async () => {
    await watched(capture());
    service().answer(LIST, []);
    model.doubt();
    await second();
    expect(ids()).toEqual([]);
  });

  it("say why they cannot be read, and are when that is over", async () => {
    service().answer(LIST, new Refusal(503, "The disk is broken."));
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(0);
    expect([model.list.value, model.problem.value?.detail]).toEqual([null, "The disk is broken."]);
    service().answer(LIST, [capture()]);
    await second();
    expect([ids(), model.problem.value]).toEqual([["c0ffee12ab34"], null]);
  });

  it("follow events, and an older answer does not undo them", async () => {
    service().answer(LIST, [capture()]);
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(0);
    model.put(capture({ id: "new", created_at: "2027-01-02T03:04:05Z" }));
    expect(ids()).toEqual(["new", "c0ffee12ab34"]);
    service().answer(LIST, () => {
      model.remove("c0ffee12ab34");
      service().answer(LIST, []);
      return [capture()];
    });
    model.doubt();
    await second();
    expect(ids()).toEqual(["new"]);
    await second();
    expect(ids()).toEqual([]);
  });

  it("forget one that the service does not have any more", async () => {
    await watched(capture());
    await second(); // it answers 404
    expect(ids()).toEqual([]);
  });

  it("do not take one back that was deleted while it was read", async () => {
    await watched(capture());
    service().answer(ONE, () => {
      model.remove("c0ffee12ab34");
      return capture();
    });
    await second();
    expect(ids()).toEqual([]);
  });

  it("are started, and the new one is selected", async () => {
    await watched();
    service().answer("POST /v1/captures", capture());
    await model.start({ name: "office" });
    expect(service().calls("POST /v1/captures")[0]?.body).toEqual({ name: "office" });
    expect(model.selected.value).toEqual(capture());
  });

  it("are stopped, triggered and deleted", async () => {
    await watched(capture({ state: "waiting" }));
    service().answer("POST /v1/captures/c0ffee12ab34/trigger", capture());
    await model.trigger("c0ffee12ab34");
    expect(model.list.value?.[0]?.state).toBe("running");
    service().answer("POST /v1/captures/c0ffee12ab34/stop", capture({ state: "stopped" }));
    await model.stop("c0ffee12ab34");
    expect(model.list.value?.[0]?.state).toBe("stopped");
    service().answer("DELETE /v1/captures/c0ffee12ab34", capture({ state: "stopped" }));
    await model.delete("c0ffee12ab34");
    expect(ids()).toEqual([]);
  });

  it("are unknown until they were read, and when everything is forgotten", async () => {
    model.put(capture());
    expect(model.list.value).toBeNull();
    await watched(capture());
    model.select("c0ffee12ab34");
    model.clear();
    expect([model.list.value, model.selected.value]).toEqual([null, undefined]);
  });
});

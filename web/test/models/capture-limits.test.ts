/** The limits of what the page keeps, over a reload. */

import { expect, test } from "vitest";
import { CaptureModel } from "../../src/models/capture";
import { keepLimits } from "../../src/models/capture-limits";
import { EngineModel, workerInProcess } from "../../src/models/engine";
import { DEFAULT_BOUNDS } from "../../src/models/packet-ring";
import { TrafficModel } from "../../src/models/traffic";
import { FakeStore, newClient } from "../fake-service";

function loaded(store: FakeStore): CaptureModel {
  const engine = new EngineModel(workerInProcess);
  const capture = new CaptureModel(newClient(store), new TrafficModel(), engine);
  keepLimits(capture, store);
  return capture;
}

test("what was chosen holds after a reload", () => {
  const store = new FakeStore();
  const before = loaded(store);
  before.bound({ packets: 10_000, bytes: 16 * 1024 * 1024 });
  before.cut(128);
  const after = loaded(store);
  expect(after.bounds.value).toEqual(before.bounds.value);
  expect(after.ring.bounds.packets).toBe(10_000);
  expect(after.snaplen.value).toBe(128);
});

test.each(["", "{", "[1e9,1e12,-1]", '["a",null]', "7"])("a store with %j has none", (text) => {
  const store = new FakeStore();
  store.setItem("wintun-api.limits", text);
  const capture = loaded(store);
  expect([capture.bounds.value, capture.snaplen.value]).toEqual([DEFAULT_BOUNDS, 0]);
});

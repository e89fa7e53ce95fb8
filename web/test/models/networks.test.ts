import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Network, NetworkHost } from "../../src/api/types";
import { NetworksModel } from "../../src/models/networks";
import { host, network } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const LIST = "GET /v1/networks";

describe("the networks", () => {
  const service = eachWithService();
  let model: NetworksModel;
  beforeEach(() => {
    vi.useFakeTimers();
    model = new NetworksModel(newClient());
  });
  afterEach(() => {
    model.rest();
    vi.useRealTimers();
  });

  const next = () => vi.advanceTimersByTimeAsync(5000);
  async function watched(...networks: Network[]) {
    service().answer(LIST, networks);
    model.watch(() => false);
    await vi.advanceTimersByTimeAsync(0);
  }
  const at = (second: number, changes: Partial<NetworkHost>) =>
    network({ hosts: [host({ seen: `2026-01-02T03:04:${second}Z`, ...changes })] });
  const rate = () => {
    const [first] = model.list.value ?? [];
    const [one] = first?.hosts ?? [];
    return first && one && model.rate(first, one);
  };

  it("are there when an agent has reported one, and gone when none does", async () => {
    expect(model.isThere.value).toBe(false);
    await watched(network());
    expect(model.isThere.value).toBe(true);
    service().answer(LIST, []);
    await next();
    expect([model.isThere.value, model.list.value]).toEqual([false, []]);
  });

  it("have rates between two reports of a host, whenever they are read", async () => {
    await watched(at(10, { sent: 100, delivered: 7 }));
    expect(rate()).toBeNull();
    await next(); // the same report
    expect(rate()).toBeNull();
    service().answer(LIST, [at(20, { sent: 150, delivered: 7 })]);
    await next();
    expect(rate()).toEqual({ sent: 5, delivered: 0 });
    await next();
    expect(rate()).toEqual({ sent: 5, delivered: 0 });
  });

  it("have no negative rates when a host counts from 0 again", async () => {
    await watched(at(10, { sent: 100 }));
    service().answer(LIST, [at(20, { sent: 3 })]);
    await next();
    expect(rate()).toEqual({ sent: 0, delivered: 0 });
  });

  it("stay as they were while the service is away, or has no networks", async () => {
    await watched(network());
    service().isAway = true;
    await next();
    expect(model.isThere.value).toBe(true);
    service().isAway = false;
    service().answer(LIST, new Refusal(404, "No"));
    await next();
    expect(model.isThere.value).toBe(true);
  });

  it("are not asked for while the page is hidden, nor after the end", async () => {
    service().answer(LIST, []);
    let hidden = true;
    model.watch(() => hidden);
    await next();
    expect(service().asked).toEqual([]);
    hidden = false;
    await next();
    model.rest();
    await next();
    expect(service().calls(LIST).length).toBe(1);
  });

  it("are forgotten at a sign-out, also those that are on their way", async () => {
    service().answer(LIST, [network()]);
    model.watch(() => false);
    expect(service().asked.length).toBe(1);
    model.rest();
    model.clear();
    await next();
    expect([model.list.value, model.isThere.value]).toEqual([null, false]);
  });
});

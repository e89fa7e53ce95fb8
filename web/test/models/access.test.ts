import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AccessModel } from "../../src/models/access";
import { connected, TIME } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const TOKEN = { id: "9f86d081", label: "grafana", scopes: ["read"], created_at: TIME };

describe("the access", () => {
  const service = eachWithService();
  let model: AccessModel;
  beforeEach(() => {
    vi.useFakeTimers();
    service().answer("GET /v1/tokens", [TOKEN]);
    service().answer("GET /v1/clients", [connected(), connected({ id: "b", token: "admin" })]);
    model = new AccessModel(newClient(), () => [undefined, "b"]);
    model.watch(() => false);
  });
  afterEach(() => {
    model.rest();
    vi.useRealTimers();
  });
  const read = () => vi.advanceTimersByTimeAsync(0);

  it("reads tokens and clients every second while they are shown", async () => {
    await read();
    expect(model.tokens.value?.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(service().calls("GET /v1/clients").length).toBe(2);
    model.rest();
    await vi.advanceTimersByTimeAsync(5000);
    expect(service().calls("GET /v1/clients").length).toBe(2);
  });

  it("tells its own connections, and those of a token", async () => {
    await read();
    expect(model.clients.value?.map((one) => model.isThisPage(one))).toEqual([false, true]);
    expect(model.clientsOf("9f86d081").map((one) => one.id)).toEqual(["a3f1c2d4e5b6"]);
  });

  it("shows a client no more that was disconnected", async () => {
    await read();
    service().answer("DELETE /v1/clients/b", null);
    await model.disconnect("b");
    expect(model.clients.value?.map((one) => one.id)).toEqual(["a3f1c2d4e5b6"]);
    expect([model.hasEnded("b"), model.hasEnded("a3f1c2d4e5b6")]).toEqual([true, false]);
  });

  it("keeps the secret of a new token until it is forgotten", async () => {
    service().answer("POST /v1/tokens", { ...TOKEN, token: "secret" });
    await model.create({ label: "grafana", scopes: ["read"] });
    expect(model.created.value?.token).toBe("secret");
    model.clear();
    expect([model.created.value, model.tokens.value]).toEqual([null, null]);
  });

  it("says why they cannot be read, until they can", async () => {
    service().answer("GET /v1/tokens", new Refusal(503, "Not now."));
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.problem.value?.detail).toBe("Not now.");
    service().answer("GET /v1/tokens", []);
    await vi.advanceTimersByTimeAsync(1000);
    expect(model.problem.value).toBeNull();
  });
});

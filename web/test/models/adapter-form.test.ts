import { describe, expect, it } from "vitest";
import { ProblemError } from "../../src/api/client";
import type { Problem } from "../../src/api/types";
import { AdapterForm } from "../../src/models/adapter-form";
import { adapter, GUID } from "../examples";

function refusal(more: Partial<Problem>): ProblemError {
  return new ProblemError({ type: "x", title: "No", status: 422, detail: "No.", ...more });
}

describe("the form of a new adapter", () => {
  it("leaves out of the request what was left empty", () => {
    const form = new AdapterForm(null);
    form.set("name", "OfficeNet");
    form.set("addresses", "10.6.7.7/24, fd06:7::7/64");
    expect(form.creation()).toEqual({
      name: "OfficeNet",
      pool: "wintun-api",
      addresses: ["10.6.7.7/24", "fd06:7::7/64"],
      routes: [],
      dns: [],
      dns_search: [],
    });
  });

  it("sends numbers as numbers, routes in parts, and a GUID without braces", () => {
    const form = new AdapterForm(null);
    form.set("requested_guid", `{${GUID}}`);
    form.set("mtu", "1420");
    form.set("metric", "0");
    form.set("routes", "10.0.0.0/8 via 10.6.7.1 metric 5");
    expect(form.creation()).toMatchObject({
      requested_guid: GUID,
      mtu: 1420,
      metric: 0,
      routes: [{ destination: "10.0.0.0/8", next_hop: "10.6.7.1", metric: 5 }],
    });
  });

  it("sends nothing of what was pasted around a text", () => {
    const form = new AdapterForm(null);
    form.set("name", "\tOfficeNet\r\n");
    form.set("requested_guid", `\ufeff {${GUID}} `);
    form.set("mtu", " 1,420\n");
    form.set("metric", "  ");
    form.set("dns", " 10.6.7.1 ");
    const request = form.creation();
    expect(request).toMatchObject({ name: "OfficeNet", requested_guid: GUID, mtu: 1420 });
    expect(request).toMatchObject({ dns: ["10.6.7.1"] });
    expect(request).not.toHaveProperty("metric");
    const change = new AdapterForm(adapter());
    change.set("name", ` ${adapter().name} `);
    expect(change.update()).toEqual({});
  });

  it("shows an error once its field was left", () => {
    const form = new AdapterForm(null);
    form.set("mtu", "12");
    expect(form.error("mtu")).toBe("");
    form.touch("mtu");
    expect(form.error("mtu")).toContain("576");
  });

  it("sends nothing while something is wrong, and shows every error", async () => {
    const form = new AdapterForm(null);
    let sent = false;
    const done = await form.submit(async () => {
      sent = true;
    });
    expect([done, sent, form.error("name")]).toEqual([false, false, "This cannot be empty."]);
  });

  it("shows what the service said at the field it said it of, until that is changed", async () => {
    const form = new AdapterForm(null);
    form.set("name", "OfficeNet");
    const error = { field: "addresses.0", message: "That is taken." };
    await form.submit(() => Promise.reject(refusal({ errors: [error] })));
    expect([form.error("addresses"), form.problem.value]).toEqual(["That is taken.", null]);
    form.set("addresses", "10.6.7.7/24");
    expect(form.error("addresses")).toBe("");
  });

  it("shows what belongs to no field above them", async () => {
    const form = new AdapterForm(null);
    form.set("name", "OfficeNet");
    await form.submit(() => Promise.reject(refusal({ detail: "The driver failed." })));
    expect(form.problem.value?.detail).toBe("The driver failed.");
  });
});

describe("the form of an adapter that is there", () => {
  it("begins as the adapter is", () => {
    const form = new AdapterForm(adapter({ routes: [], dns: ["10.6.7.1"] }));
    expect(form.texts.value).toMatchObject({ name: "OfficeNet", mtu: "1420", dns: "10.6.7.1" });
    expect([form.valid.value, form.changed.value]).toEqual([true, false]);
  });

  it("sends only what was changed", () => {
    const form = new AdapterForm(adapter());
    form.set("name", "HomeNet");
    expect(form.update()).toEqual({ name: "HomeNet" });
  });

  it("gives the metric back to the system when its field is emptied", () => {
    const form = new AdapterForm(adapter({ metric: 25 }));
    form.set("metric", "");
    expect(form.update()).toEqual({ metric: null });
  });

  it("takes every address away when their field is emptied", () => {
    const form = new AdapterForm(adapter());
    form.set("addresses", "");
    expect(form.update()).toEqual({ addresses: [] });
  });
});

import { describe, expect, it } from "vitest";
import { ProblemError } from "../../src/api/client";
import { AdaptersModel } from "../../src/models/adapters";
import { adapter, GUID } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

const names = (model: AdaptersModel) => model.list.value.map((one) => one.name);

describe("the adapters", () => {
  const service = eachWithService();

  it("are listed by name, numbers in it as numbers", () => {
    const model = new AdaptersModel(newClient());
    model.reset(["net 10", "Net 9", "Branch"].map((name) => adapter({ name, guid: name })));
    expect(names(model)).toEqual(["Branch", "Net 9", "net 10"]);
  });

  it("take the place of what was known of them", () => {
    const model = new AdaptersModel(newClient());
    model.reset([adapter()]);
    model.put(adapter({ name: "HomeNet" }));
    expect(names(model)).toEqual(["HomeNet"]);
  });

  it("leave a word when the selected one goes", () => {
    const model = new AdaptersModel(newClient());
    model.reset([adapter()]);
    model.select(GUID);
    model.remove(GUID);
    expect([model.selected.value, model.gone.value?.name]).toEqual([undefined, "OfficeNet"]);
  });

  it("leave the same word when a new snapshot is without it", () => {
    const model = new AdaptersModel(newClient());
    model.reset([adapter()]);
    model.select(GUID);
    model.reset([]);
    expect(model.gone.value?.name).toBe("OfficeNet");
  });

  it("go unnoticed when another one is selected", () => {
    const model = new AdaptersModel(newClient());
    model.reset([adapter(), adapter({ guid: "other", name: "Other" })]);
    model.select("other");
    model.remove(GUID);
    expect([model.selected.value?.name, model.gone.value]).toEqual(["Other", null]);
  });

  it("are shown once they are made, before any event tells of them", async () => {
    service().answer("POST /v1/adapters", adapter());
    const model = new AdaptersModel(newClient());
    const lists = { addresses: [], routes: [], dns: [], dns_search: [] };
    await model.create({ name: "OfficeNet", pool: "WireGuard", ...lists });
    expect(model.selected.value?.guid).toBe(GUID);
    expect(service().asked[0]?.body).toMatchObject({ name: "OfficeNet", pool: "WireGuard" });
  });

  it("are forced only when that was asked for", async () => {
    service().answer(`DELETE /v1/adapters/${GUID}`, { reboot_required: false });
    service().answer(`DELETE /v1/adapters/${GUID}?force=true`, { reboot_required: true });
    const model = new AdaptersModel(newClient());
    expect(await model.delete(GUID, false)).toEqual({ reboot_required: false });
    expect(await model.delete(GUID, true)).toEqual({ reboot_required: true });
  });

  it("stay as they are when the service refuses a change", async () => {
    service().answer(`PATCH /v1/adapters/${GUID}`, new Refusal(409, "The name is taken."));
    const model = new AdaptersModel(newClient());
    model.reset([adapter()]);
    await expect(model.update(GUID, { name: "Other" })).rejects.toThrow(ProblemError);
    expect(names(model)).toEqual(["OfficeNet"]);
  });
});

import { describe, expect, it } from "vitest";
import { ServiceModel } from "../../src/models/service";
import { system } from "../examples";
import { eachWithService, newClient, Refusal } from "../fake-service";

describe("what a token allows", () => {
  it("is nothing before the service was asked", () => {
    expect(new ServiceModel(newClient()).can("read")).toBe(false);
  });

  it("is what its scopes say", () => {
    const model = new ServiceModel(newClient());
    model.system.value = system({ scopes: ["read", "capture"] });
    expect([model.can("capture"), model.can("inject"), model.isAdmin.value]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("is everything for an admin", () => {
    const model = new ServiceModel(newClient());
    model.system.value = system({ scopes: ["admin"] });
    expect([model.can("inject"), model.isAdmin.value]).toEqual([true, true]);
  });
});

describe("the driver", () => {
  const service = eachWithService();

  it("stays what it was when it cannot be read", async () => {
    service().answer("GET /v1/driver", { running_version: "0.14" });
    const model = new ServiceModel(newClient());
    await model.loadDriver();
    service().answer("GET /v1/driver", new Refusal(503, "Later."));
    await model.loadDriver();
    expect(model.driver.value?.running_version).toBe("0.14");
  });
});

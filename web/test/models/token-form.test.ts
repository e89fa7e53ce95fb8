import { beforeEach, describe, expect, it } from "vitest";
import type { TokenCreate } from "../../src/api/types";
import { TokenForm } from "../../src/models/token-form";

describe("the form of a token", () => {
  let form: TokenForm;
  let sent: TokenCreate[] = [];
  beforeEach(() => {
    form = new TokenForm();
    sent = [];
  });
  const submit = () => form.submit(async (body) => sent.push(body));

  it("asks for a token that reads, for thirty days", async () => {
    form.name.value = " grafana ";
    await submit();
    expect(sent).toEqual([{ label: "grafana", scopes: ["read"], expires_in: 2_592_000 }]);
  });

  it("asks for one that does not expire", async () => {
    form.expiry.value = "never";
    form.toggle("capture");
    await submit();
    expect(sent).toEqual([{ label: "", scopes: ["capture", "read"] }]);
  });

  it("counts the seconds to a date", async () => {
    form.expiry.value = "date";
    form.date.value = new Date(Date.now() + 7_200_000).toISOString().slice(0, 16);
    // The field holds the time of the browser's zone.
    const zone = new Date().getTimezoneOffset() * 60;
    await submit();
    expect(Math.abs((sent[0]?.expires_in ?? 0) - 7200 - zone)).toBeLessThan(61);
  });

  it("says nothing before the first try, and sends nothing that is wrong", async () => {
    form.toggle("read");
    form.name.value = "x".repeat(101);
    form.expiry.value = "date";
    form.date.value = "2020-01-01T00:00";
    expect(form.errors.value).toEqual({ name: "", scopes: "", date: "" });
    expect(await submit()).toBe(false);
    expect(form.errors.value).toEqual({
      name: "A name can have at most 100 characters.",
      scopes: "Choose at least one scope.",
      date: "Choose a time in the future.",
    });
    form.toggle("metrics");
    expect(form.errors.value.scopes).toBe("");
    expect(sent).toEqual([]);
  });
});

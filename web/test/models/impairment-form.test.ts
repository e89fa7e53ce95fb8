import { beforeEach, describe, expect, it } from "vitest";
import type { Preset, Problem } from "../../src/api/types";
import { ImpairmentForm } from "../../src/models/impairment-form";
import { impairment, rule } from "../examples";

const THREE_G: Preset = {
  name: "3g",
  title: "3G",
  source: "A measurement.",
  received: { delay_ms: 100, rate_bps: 1_600_000 },
  injected: { delay_ms: 100, rate_bps: 768_000 },
};

function problem(errors: [field: string, message: string][], more: Partial<Problem> = {}): Problem {
  const named = errors.map(([field, message]) => ({ field, message }));
  return { type: "x", title: "No", status: 422, detail: "No.", errors: named, ...more };
}

describe("the form of an impairment", () => {
  let form: ImpairmentForm;
  beforeEach(() => {
    form = new ImpairmentForm();
  });

  it("asks for both directions alike", () => {
    form.set("delay_ms", "60");
    form.set("loss", "2");
    const one = { delay_ms: 60, loss: 0.02 };
    expect(form.body()).toEqual({ received: one, injected: one, on_change: "deliver" });
  });

  it("asks for one direction, and leaves the other alone", () => {
    form.side.value = "injected";
    form.set("rate_bps", "10");
    form.setSeed(" 7 ");
    form.setOnChange("drop");
    expect(form.body()).toEqual({
      received: null,
      injected: { rate_bps: 10_000_000 },
      seed: 7,
      on_change: "drop",
    });
  });

  it("says what each direction has where they differ", () => {
    form.side.value = "received";
    form.set("delay_ms", "60");
    form.side.value = "both";
    expect([form.value("delay_ms"), form.mixed("delay_ms")]).toEqual([
      "",
      "From host 60, to host not set.",
    ]);
    form.set("delay_ms", "5");
    expect([form.value("delay_ms"), form.mixed("delay_ms")]).toEqual(["5", ""]);
  });

  it("is empty until something is set, and again when that is taken away", () => {
    expect(form.isEmpty.value).toBe(true);
    form.setSeed("7");
    expect(form.isEmpty.value).toBe(true);
    form.set("blackout", "on");
    expect(form.isEmpty.value).toBe(false);
    form.set("blackout", "");
    expect(form.isEmpty.value).toBe(true);
  });

  it("asks for a preset by its name until one of its numbers is changed", () => {
    form.choose(THREE_G);
    expect(form.body()).toEqual({ preset: "3g", on_change: "deliver" });
    expect([form.value("delay_ms"), form.mixed("rate_bps")]).toEqual([
      "100",
      "From host 1.6, to host 0.768.",
    ]);
    form.set("delay_ms", "200");
    expect(form.body()).toEqual({
      received: { delay_ms: 200, rate_bps: 1_600_000 },
      injected: { delay_ms: 200, rate_bps: 768_000 },
      on_change: "deliver",
    });
  });

  it("keeps the numbers of a preset as own values", () => {
    form.choose(THREE_G);
    form.choose(null);
    expect(form.body()).toMatchObject({ received: { rate_bps: 1_600_000 } });
  });

  it("begins with what is set, in the direction that it is set for", () => {
    form.fill(impairment({ seed: 11, on_change: "drop" }));
    expect([form.side.value, form.value("delay_ms"), form.changed.value]).toEqual([
      "received",
      "60",
      false,
    ]);
    expect(form.body()).toEqual({
      received: { delay_ms: 60 },
      injected: null,
      seed: 11,
      on_change: "drop",
    });
    const one = { loss: 0.5 };
    form.fill(impairment({ rules: [rule({ now_received: one, now_injected: one })] }));
    expect([form.side.value, form.value("loss")]).toEqual(["both", "50"]);
  });

  it("shows an error once its field was left, and shows all when it is sent", () => {
    form.set("loss", "200");
    expect(form.error("loss")).toBe("");
    form.touch("loss");
    expect(form.error("loss")).toContain("from 0 to 100 %");
    form.setSeed("-1");
    expect([form.check(), form.errorOf("seed")]).toEqual([
      false,
      `The seed must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`,
    ]);
  });

  it("shows the direction that has the error", () => {
    form.side.value = "received";
    form.set("loss", "200");
    form.side.value = "injected";
    expect([form.check(), form.side.value]).toEqual([false, "received"]);
  });

  it.each([
    ["received.jitter_ms", "jitter_ms", "received"],
    ["injected.jitter_ms", "jitter_ms", "injected"],
    ["rules.0.injected.loss", "loss", "injected"],
    ["injected.gilbert_elliott.p", "gilbert_elliott.p", "injected"],
    ["received.gilbert_elliott", "gilbert_elliott.p", "received"],
    ["injected.distribution", "distribution", "injected"],
    ["injected.too_big_reply", "too_big_reply", "injected"],
  ])(
    "shows what the service said of %s at its field, until that is changed",
    (path, name, side) => {
      form.side.value = side === "received" ? "injected" : "received";
      expect(form.refuse(problem([[path, "Not that."]]))).toBe(true);
      expect([form.side.value, form.error(name), form.rest.value]).toEqual([side, "Not that.", []]);
      form.set(name, "1");
      expect(form.error(name)).toBe("");
    },
  );

  it("shows it in both directions where they are shown together", () => {
    form.refuse(problem([["injected.loss", "Not that."]]));
    expect([form.side.value, form.error("loss")]).toEqual(["both", "Not that."]);
  });

  it("shows what was said of the seed and of a preset", () => {
    form.refuse(
      problem([
        ["seed", "Too odd."],
        ["preset", "No such preset."],
      ]),
    );
    expect([form.errorOf("seed"), form.errorOf("preset")]).toEqual(["Too odd.", "No such preset."]);
    form.setSeed("8");
    form.choose(null);
    expect([form.errorOf("seed"), form.errorOf("preset")]).toEqual(["", ""]);
  });

  it("shows what has no field above them, by its path", () => {
    form.refuse(problem([["scenario.steps.0.at", "Not that."]]));
    expect(form.rest.value).toEqual(["scenario.steps.0.at: Not that."]);
    expect(form.refuse(problem([], { field: "received.loss", detail: "Too much." }))).toBe(true);
    expect([form.error("loss"), form.rest.value]).toEqual(["Too much.", []]);
    expect(form.refuse(problem([]))).toBe(false);
  });
});

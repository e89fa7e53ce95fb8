import { beforeEach, describe, expect, it } from "vitest";
import contract from "../../../openapi/openapi.json";
import { ProblemError } from "../../src/api/client";
import type { CaptureCreate } from "../../src/api/types";
import { CaptureForm, EVENTS, FIELDS, type FieldName } from "../../src/models/capture-form";
import { GUID } from "../examples";

describe("the form of a capture", () => {
  let form: CaptureForm;
  beforeEach(() => {
    form = new CaptureForm(async () => ({ valid: true }));
  });

  const fill = (texts: Partial<Record<FieldName, string>>) => {
    for (const [field, text] of Object.entries(texts)) form.set(field as FieldName, text);
  };
  const refusing = (more: object) =>
    form.submit(async () => {
      throw new ProblemError({ type: "x", title: "No", status: 422, detail: "Wrong.", ...more });
    });

  it("asks for every packet of all adapters when nothing is typed", () => {
    expect(form.body()).toEqual({
      direction: "both",
      filter: "",
      snaplen: 0,
      marks: false,
      stop: {},
      rotate: {},
      keep: {},
    });
  });

  it("asks for all that is typed, in packets, bytes and seconds", async () => {
    fill({
      name: " office ",
      snaplen: "96",
      "stop.packets": "1,000",
      "stop.bytes": "1 GiB",
      "stop.seconds": "10 min",
      "rotate.bytes": "64",
      "rotate.seconds": "1 h",
      "keep.files": "5",
      "keep.bytes": "2 GB",
      "trigger.before": "30 s",
      "trigger.after": "1.5",
    });
    form.which.value = "some";
    form.toggle("other");
    form.toggle(GUID);
    form.toggle("other");
    form.filter.set("tcp port 443 ");
    form.direction.value = "received";
    form.marks.value = true;
    form.on.value = "event";
    form.event.value = "session.failed";
    let body: CaptureCreate | null = null;
    expect(
      await form.submit(async (sent) => {
        body = sent;
      }),
    ).toBe(true);
    expect(body).toEqual({
      name: "office",
      adapters: [GUID],
      direction: "received",
      filter: "tcp port 443",
      snaplen: 96,
      marks: true,
      stop: { packets: 1000, bytes: 2 ** 30, seconds: 600 },
      rotate: { bytes: 64 * 2 ** 20, seconds: 3600 },
      keep: { files: 5, bytes: 2e9 },
      trigger: { on: "event", event: "session.failed", before: 30, after: 1.5 },
    });
  });

  it("names a pool, or the filter of a trigger, where that is chosen", () => {
    fill({ pool: "WireGuard" });
    form.triggerFilter.set("icmp");
    expect(Object.keys(form.body())).not.toContain("pool");
    form.which.value = "pool";
    form.on.value = "filter";
    expect(form.body()).toMatchObject({
      pool: "WireGuard",
      trigger: { on: "filter", filter: "icmp", before: 0 },
    });
  });

  it.each<[FieldName, string, string]>([
    ["name", "x".repeat(65), "64 characters"],
    ["snaplen", "65536", "from 0 to 65535"],
    ["stop.packets", "0", "whole number, at least 1"],
    ["stop.packets", "1,5", "Write it like 1000 or 1,000."],
    ["stop.bytes", "4095 B", "The size must be at least 4 KiB."],
    ["rotate.bytes", "much", "a number with a unit"],
    ["keep.files", "1.5", "from 1 to 2000"],
    ["stop.seconds", "0", "more than 0 s"],
    ["stop.seconds", "120 d", "The time can be at most 115\u00a0d 17\u00a0h."],
    ["rotate.seconds", "soon", "a number with a unit"],
    ["rotate.seconds", "0.5", "The time must be at least 1\u00a0s."],
    ["trigger.before", "2 d", "The time can be at most 1\u00a0d."],
  ])("does not send %s = %s", async (field, text, error) => {
    form.on.value = "call";
    fill({ [field]: text });
    expect(form.error(field)).toBe("");
    expect(await form.submit(async () => undefined)).toBe(false);
    expect(form.error(field)).toContain(error);
    fill({ [field]: "" });
    expect(form.error(field)).toBe("");
  });

  it("does not send a choice of no adapter, or a pool without a name", async () => {
    form.which.value = "some";
    expect(await form.submit(async () => undefined)).toBe(false);
    expect(form.error("adapters")).toContain("at least one");
    form.which.value = "pool";
    expect(await form.submit(async () => undefined)).toBe(false);
    expect(form.error("pool")).toContain("name of a pool");
  });

  it("shows at its field what the service refuses", async () => {
    form.filter.set("tcp prot 80");
    const errors = [
      { field: "stop.bytes", message: "Too few." },
      { field: "adapters.0", message: "Not a GUID." },
      { field: "filter", message: "No filter." },
    ];
    expect(await refusing({ errors })).toBe(false);
    expect([form.error("stop.bytes"), form.error("adapters"), form.problem.value]).toEqual([
      "Too few.",
      "Not a GUID.",
      null,
    ]);
    expect(form.filter.state.value).toMatchObject({ name: "wrong", message: "No filter." });
    form.set("stop.bytes", "1 GiB");
    expect(form.error("stop.bytes")).toBe("");
    form.close();
  });

  it("shows above the fields what belongs to none", async () => {
    await refusing({ detail: "The disk is full." });
    expect(form.problem.value?.detail).toBe("The disk is full.");
    await refusing({ errors: [{ field: "elsewhere", message: "?" }], detail: "Elsewhere." });
    expect(form.problem.value?.detail).toBe("Elsewhere.");
  });

  it("has fields and events that the contract has", () => {
    const { schemas } = contract.components;
    const { stop: _stop, ...own } = schemas.CaptureCreate.properties;
    for (const field of FIELDS) {
      const [first = "", inner] = field.split(".");
      const group = { stop: schemas.Stop, rotate: schemas.Rotate, keep: schemas.Keep };
      const of = { ...group, trigger: schemas.Trigger }[first];
      expect(Object.keys(inner === undefined ? own : (of?.properties ?? {}))).toContain(
        inner ?? first,
      );
    }
    for (const event of EVENTS) expect(schemas.EventType.enum).toContain(event);
  });

  it.each(FIELDS.filter((field) => !["name", "pool"].includes(field)))(
    "has the limits of the contract: %s",
    (field) => {
      const { schemas } = contract.components;
      const [first = "", inner = first] = field.split(".");
      const groups = { stop: schemas.Stop, rotate: schemas.Rotate, keep: schemas.Keep };
      const { properties } =
        { ...groups, trigger: schemas.Trigger }[first] ?? schemas.CaptureCreate;
      const limits = (properties as Record<string, { minimum?: number; maximum?: number }>)[inner];
      const unit = inner === "bytes" ? " B" : "";
      const isTaken = (value: number) => {
        fill({ [field]: `${value}${unit}` });
        form.touch(field);
        return form.error(field) === "";
      };
      form.on.value = "call";
      const { minimum = 0.001, maximum = 0 } = limits ?? {};
      expect([isTaken(minimum), isTaken(minimum - 1)]).toEqual([true, false]);
      if (maximum < Number.MAX_SAFE_INTEGER) {
        expect([isTaken(maximum), isTaken(maximum + 1)]).toEqual([true, false]);
      }
    },
  );

  it("does not send a filter that is known to be wrong", async () => {
    form = new CaptureForm(async () => ({ valid: false, error: { message: "No.", offset: 0 } }));
    const sent: CaptureCreate[] = [];
    const submit = () => form.submit(async (body) => sent.push(body));
    form.on.value = "filter";
    expect([await submit(), sent.length]).toEqual([false, 0]);
    expect(form.triggerFilter.state.value).toMatchObject({ name: "wrong", offset: 0 });
    form.triggerFilter.set("tcp prot 80");
    form.on.value = "filter";
    expect([await submit(), sent.length]).toEqual([false, 0]);
    form.on.value = "loss";
    expect([await submit(), sent.length]).toEqual([true, 1]);
    form.filter.set("tcp prot 80");
    expect([await submit(), sent.length]).toEqual([false, 1]);
  });
});

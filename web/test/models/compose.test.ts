import { describe, expect, it } from "vitest";
import { ComposeModel } from "../../src/models/compose";
import { decode } from "../../src/packet/decode";

/** A model that is aimed at an adapter. */
function aimed(...addresses: string[]): ComposeModel {
  const model = new ComposeModel();
  model.aim(addresses);
  return model;
}

describe("a composed packet", () => {
  it("goes from a neighbour to the adapter", () => {
    const { source, destination } = aimed("10.6.7.7/24").draft.value;
    expect([source, destination]).toEqual(["10.6.7.8", "10.6.7.7"]);
  });

  it("has a neighbour below when there is none above", () => {
    expect(aimed("10.6.7.254/24").draft.value.source).toBe("10.6.7.253");
    expect(aimed("fd06:7::7/64").draft.value.source).toBe("fd06:7::8");
  });

  it("keeps the addresses that were typed", () => {
    const model = new ComposeModel();
    model.set({ destination: "10.9.9.9" });
    model.aim(["10.6.7.7/24"]);
    expect(model.draft.value.destination).toBe("10.9.9.9");
  });

  it("counts its echoes, and begins again after the last number", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ sequence: "65535" });
    const { make } = model.plan();
    expect([0, 1].map((index) => /seq=(\d+)/.exec(decode(make(index)).info)?.[1])).toEqual([
      "65535",
      "0",
    ]);
  });

  it("says what is wrong in place of its bytes", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ destination: "fd06:7::7" });
    expect(model.packet.value).toContain("one address family");
    model.set({ kind: "raw", raw: "4x" });
    expect(typeof model.packet.value).toBe("string");
    expect(model.decoded.value).toBeNull();
  });

  it("is sent again as it came, with lengths and checksums set right", () => {
    const sent = aimed("10.6.7.7/24").packet.value as Uint8Array;
    const model = new ComposeModel();
    model.replay(sent.with(10, 0xff)); // its header checksum
    expect(model.packet.value).toEqual(sent);
  });
});

describe("the plan of what is composed", () => {
  it("bounds how many and how fast", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "times", count: "0" });
    expect(model.planError.value).toContain("Send from 1");
    model.set({ repeat: "rate", count: "", rate: "20001" });
    expect(model.planError.value).toContain("at most 20,000");
    model.set({ rate: "20000" });
    expect(model.planError.value).toBe("");
  });

  it("goes on without end at a rate without a number", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "rate", count: "", rate: "50" });
    expect(model.plan()).toMatchObject({ count: Number.POSITIVE_INFINITY, rate: 50 });
  });
});

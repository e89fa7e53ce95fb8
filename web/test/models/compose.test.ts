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

  it("says what is wrong at the field that is wrong", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ destination: "fd06:7::7" });
    expect([model.error("destination"), model.error("source")]).toEqual([
      "Both addresses must be IPv4, or both IPv6.",
      "",
    ]);
    model.set({ kind: "raw", raw: "4x" });
    expect([model.packet.value, model.error("raw")]).toEqual([
      null,
      'A byte has two digits, and "4x" has one.',
    ]);
    expect(model.decoded.value).toBeNull();
  });

  it("of raw bytes has at least a header, and no more than a packet can have", () => {
    const model = new ComposeModel();
    const told = (raw: string) => {
      model.set({ kind: "raw", raw });
      return [model.error("raw"), model.ready.value];
    };
    expect(told("45 00")).toEqual([
      "Enter at least 20 bytes, the length of an IPv4 header, not 2.",
      false,
    ]);
    expect(told("60".repeat(39))[0]).toContain("Enter at least 40 bytes");
    expect(told("45".repeat(65_536))[0]).toContain("Enter at most 65,535 bytes");
    expect(told("45".repeat(20))).toEqual(["", true]);
  });

  it("names the payload that does not fit, and its limit", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ payload: "x".repeat(70_000) });
    expect(model.error("payload")).toBe(
      "The payload has 70,000 bytes. At most 65,507 fit into this packet.",
    );
    model.set({ payload: "x".repeat(65_507) });
    expect(model.packet.value?.length).toBe(65_535);
  });

  it("is sent again as it came, with lengths and checksums set right", () => {
    const sent = aimed("10.6.7.7/24").packet.value as Uint8Array;
    const model = new ComposeModel();
    model.replay(sent.with(10, 0xff)); // its header checksum
    expect(model.packet.value).toEqual(sent);
  });
});

describe("what a packet begins with", () => {
  it("is no payload for TCP, and a query for DNS", () => {
    const model = aimed("10.6.7.7/24");
    model.choose("tcp");
    expect(model.decoded.value?.info).toMatch(/^40000 → 443 \[SYN\] .*Len=0/);
    model.set({ flags: 0x12, acknowledgement: "7" });
    expect(model.decoded.value?.info).toMatch(/\[SYN, ACK\].*Ack=7/);
    model.choose("dns");
    model.set({ queryType: "AAAA" });
    expect(model.decoded.value?.info).toBe("Standard query 0x0001 AAAA example.com");
  });

  it("changes with the kind, unless it was typed", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ payload: "mine" });
    model.choose("udp");
    expect(model.draft.value).toMatchObject({ payload: "mine", destinationPort: "5000" });
  });

  it("goes to the adapter that is chosen, unless addresses were typed", () => {
    const model = aimed("10.6.7.7/24");
    model.aim(["10.9.0.1/24", "fd09::1/64"]);
    expect(model.draft.value.destination).toBe("10.9.0.1");
    model.aim(["10.9.0.1/24", "fd09::1/64"], 6);
    expect(model.draft.value).toMatchObject({ source: "fd09::2", destination: "fd09::1" });
    model.set({ source: "fd09::9" });
    model.aim(["10.6.7.7/24"]);
    expect(model.draft.value.source).toBe("fd09::9");
  });

  it("is swapped with its ports", () => {
    const model = aimed("10.6.7.7/24");
    model.choose("udp");
    model.swap();
    expect(model.draft.value).toMatchObject({
      source: "10.6.7.7",
      destination: "10.6.7.8",
      sourcePort: "5000",
      destinationPort: "40000",
    });
  });
});

describe("a warning", () => {
  const target = { name: "OfficeNet", mtu: 1420, addresses: ["10.6.7.7/24"] };

  it("tells of packets beyond the MTU", () => {
    const model = aimed("10.6.7.7/24");
    expect(model.warnings(target)).toEqual([]);
    model.set({ payload: "x".repeat(2020) });
    expect(model.warnings(target)).toEqual([
      "The packet has 2,048 bytes, but the MTU of OfficeNet is 1,420. The host may drop it.",
    ]);
  });

  it("tells of ends that this adapter does not have", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ destination: "10.9.9.9" });
    expect(model.warnings(target)[0]).toContain("not an address of OfficeNet");
    model.set({ source: "10.6.7.7" });
    expect(model.warnings(target)[0]).toContain("source is an address of this computer");
  });
});

describe("the plan of what is composed", () => {
  it("bounds how many and how fast", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "times", count: "0" });
    expect(model.error("count")).toBe("Enter a whole number of packets, from 1 to 1,000,000.");
    model.set({ repeat: "rate", count: "", rate: "20001" });
    expect(model.error("rate")).toBe("Enter a rate from 0.001 to 20,000 packets/s.");
    model.set({ rate: "20000" });
    expect([model.error("rate"), model.ready.value]).toEqual(["", true]);
  });

  it.each(["1.5", "1,5", "0x10", "1e3", "1234,567", " "])("has no count “%s”", (count) => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "times", count });
    expect(model.error("count")).toContain("Enter a whole number of packets");
    expect(model.ready.value).toBe(false);
  });

  it.each(["1e-9", "0", "0x10", "1234,567", ""])("has no rate “%s”", (rate) => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "rate", rate });
    expect(model.error("rate")).toContain("Enter a rate from 0.001");
  });

  it("takes numbers as the page writes them", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "rate", count: "1,000,000", rate: "1,000" });
    expect(model.plan()).toMatchObject({ count: 1_000_000, rate: 1000 });
    model.set({ rate: "0,5" });
    expect(model.plan().rate).toBe(0.5);
  });

  it("goes on without end at a rate without a number", () => {
    const model = aimed("10.6.7.7/24");
    model.set({ repeat: "rate", count: "", rate: "50" });
    expect(model.plan()).toMatchObject({ count: Number.POSITIVE_INFINITY, rate: 50 });
  });
});

import { describe, expect, it } from "vitest";
import { deviation } from "../../src/models/deviation";

const NONE = {};

describe("how an adapter differs from what was requested", () => {
  it("names an address that another program added, and says nothing of those that hold", () => {
    const wanted = { addresses: ["10.9.0.1/24"] };
    const difference = { missing: NONE, extra: { addresses: ["10.9.0.9/24"] } };
    expect(deviation({ difference } as never, wanted)).toEqual({
      link: "",
      notSet: [],
      extra: [["addresses", "10.9.0.9/24"]],
      removed: "10.9.0.9/24",
    });
  });

  it("names what is missing, and single settings that do not hold", () => {
    const wanted = { mtu: 1420, addresses: ["10.9.0.1/24", "10.9.0.2/24"] };
    const difference = { missing: { addresses: ["10.9.0.2/24"] }, extra: NONE };
    expect(deviation({ difference } as never, wanted).notSet).toEqual([
      ["MTU", "1420"],
      ["addresses", "10.9.0.2/24"],
    ]);
  });

  it("tells what a restoration removes, and of many names a few", () => {
    const removed = (...addresses: string[]) =>
      deviation({ difference: { missing: NONE, extra: { addresses } } } as never, {}).removed;
    expect(removed("a", "b")).toBe("a and b");
    expect(removed("a", "b", "c", "d")).toBe("a, b, c and d");
    expect(removed("a", "b", "c", "d", "e")).toBe("a, b, c and 2 others");
    expect(removed()).toBe("");
  });

  it("says of the link how it is", () => {
    expect(deviation({ difference: null }, { link_up: true }).link).toBe(
      "The link is down, but was requested to be up.",
    );
  });
});

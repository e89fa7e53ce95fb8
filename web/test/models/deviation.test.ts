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

  it("says of the link how it is", () => {
    expect(deviation({ difference: null }, { link_up: true }).link).toBe(
      "The link is down; it was requested up.",
    );
  });
});

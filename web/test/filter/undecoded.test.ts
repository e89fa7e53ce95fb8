import { expect, it } from "vitest";
import { fieldOf } from "../../src/filter/fields";
import { compileFilter } from "../../src/filter/parser";
import { byPort, UNDECODED_PORTS } from "../../src/filter/undecoded";

it("has names that no field has, and filters that work", () => {
  expect(UNDECODED_PORTS.size).toBeGreaterThan(30);
  for (const name of UNDECODED_PORTS.keys()) {
    expect(fieldOf(name), name).toBe(undefined);
    expect(() => compileFilter(byPort(name) ?? "?"), name).not.toThrow();
    expect(() => compileFilter(`tcp.port == ${name}`), name).not.toThrow();
  }
});

it("has no ports for what is decoded", () => {
  expect(byPort("dns")).toBe(undefined);
});

import { describe, expect, it } from "vitest";
import contract from "../../../openapi/openapi.json";
import * as text from "../../src/models/host-text";
import { host } from "../examples";

const plain = (words: string) => words.replaceAll("\u00a0", " ");

describe("a host in words", () => {
  it("has words for every state of the contract", () => {
    const states = contract.components.schemas.HostState.enum;
    expect(Object.keys(text.STATES).sort()).toEqual([...states].sort());
  });

  it("says what was lost, the most first", () => {
    const one = host({ lost: { ring: 1, no_route: 1200, bus: 0 } });
    expect(text.lostCount(one)).toBe(1201);
    expect(text.lostText(one)).toBe("1,200 no route, 1 ring");
    expect([text.lostCount(host()), text.lostText(host())]).toEqual([0, ""]);
  });

  it("says how its clock is", () => {
    const words = [null, undefined, 0, 1.54, -20, 90_000].map(text.clockText).map(plain);
    expect(words).toEqual([
      "not known",
      "not known",
      "exact",
      "1.5 ms ahead",
      "20 ms behind",
      "1 min 30 s ahead",
    ]);
  });

  it("says which adapters it has", () => {
    const adapters = [
      { name: "OfficeNet", state: "up" },
      { name: "Lab", state: "down" },
    ];
    expect(text.adaptersText(host({ adapters }))).toBe("OfficeNet (up), Lab (down)");
  });
});

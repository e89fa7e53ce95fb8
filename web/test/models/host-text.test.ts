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
    expect(plain(text.lostText(one))).toBe("1,200 no route, 1 ring");
    expect([text.lostCount(host()), text.lostText(host())]).toEqual([0, ""]);
  });

  it("says how often packets were lost whose number is not known", () => {
    const one = host({ lost: { away: 2 }, counts: { uncounted: 3, late: 1 } });
    expect(plain(text.lostText(one))).toBe("2 away; 3 uncounted");
    expect(text.uncountedTimes(one)).toBe(3);
    expect(plain(text.lostText(host({ counts: { uncounted: 1 } })))).toBe("1 uncounted");
    expect(text.uncountedTimes(host())).toBe(0);
  });

  it("says what else was counted, and nothing twice", () => {
    const counts = { uncounted: 3, link_local: 7, late: 0, messages_dropped: 1200 };
    expect(plain(text.countsText(host({ counts })))).toBe("7 link local, 1,200 messages dropped");
    expect([text.countsText(host({ counts: {} })), text.countsText(host())]).toEqual(["", ""]);
  });

  it("says which of its claims another host has", () => {
    const refused = ["10.6.7.8/32", "fd06::/64"];
    expect([text.refusedText(host({ refused })), text.refusedText(host())]).toEqual([
      "10.6.7.8/32, fd06::/64",
      "",
    ]);
    const more = text.refusedText(host({ refused, more_refused: 3 }));
    expect(plain(more)).toBe("10.6.7.8/32, fd06::/64, 3 more");
  });

  it("says what did not fit into its report", () => {
    const cases = [{}, { more_adapters: 1 }, { more_adapters: 3, more_prefixes: 1 }];
    expect(cases.map((one) => plain(text.leftOutText(host(one))))).toEqual([
      "",
      "1 adapter",
      "3 adapters, 1 address or network",
    ]);
    expect(plain(text.leftOutText(host({ more_prefixes: 8 })))).toBe("8 addresses and networks");
  });

  it("says how its clock is", () => {
    const words = [null, undefined, 0, 1.54, -20, 90_000].map(text.clockText).map(plain);
    expect(words).toEqual([
      "unknown",
      "unknown",
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

  it("says which addresses its adapters have, and what their sessions have carried", () => {
    const addresses = ["10.6.7.7/24"];
    const adapters = [
      { name: "OfficeNet", state: "up", addresses, more_addresses: 2, received: 1234, injected: 7 },
      { name: "Lab", state: "down" },
    ];
    expect(plain(text.adapterLines(host({ adapters })))).toBe(
      "OfficeNet (up), 10.6.7.7/24, 2 more addresses, 1,234 received, 7 injected\nLab (down)",
    );
  });
});

/** Filters that outlive the page. */

import { expect, test } from "vitest";
import type { Store } from "../../src/api/store";
import { FilterHistory, MOST_RECENT, MOST_SAVED } from "../../src/models/filter-history";

function storeOf(values: Record<string, string | null> = {}): Store {
  return {
    getItem: (name) => values[name] ?? null,
    setItem: (name, value) => {
      values[name] = value;
    },
  };
}

test("what was used last stands first, once, and is there after a reload", () => {
  const store = storeOf();
  const history = new FilterHistory(store);
  for (const text of ["tcp", " udp ", "tcp", "", "tcp"]) history.remember(text);
  expect(new FilterHistory(store).recent.value).toEqual(["tcp", "udp"]);
});

test("only so many are remembered", () => {
  const history = new FilterHistory(storeOf());
  for (let port = 0; port < 30; port++) history.remember(`tcp.port == ${port}`);
  expect(history.recent.value).toHaveLength(MOST_RECENT);
  expect(history.recent.value[0]).toBe("tcp.port == 29");
});

test("a saved filter has a name, and takes the place of one that had it", () => {
  const store = storeOf();
  const history = new FilterHistory(store);
  expect(history.save("web", "tcp.port == 80")).toBe("");
  expect(history.save(" web ", "tcp.port == 443")).toBe("");
  expect(history.save("dns", "dns")).toBe("");
  expect(history.save(" ", "dns")).toContain("name");
  expect(history.save("nothing", " ")).toContain("no filter");
  const saved = new FilterHistory(store).saved.value;
  expect(saved.map(({ name, text }) => `${name}: ${text}`)).toEqual([
    "dns: dns",
    "web: tcp.port == 443",
  ]);
  history.remove("dns");
  expect(new FilterHistory(store).saved.value).toHaveLength(1);
});

test("one too many is refused with what to do", () => {
  const history = new FilterHistory(storeOf());
  for (let i = 0; i < MOST_SAVED; i++) expect(history.save(`n${i}`, "tcp")).toBe("");
  expect(history.save("more", "tcp")).toContain("Delete one");
  expect(history.save("n3", "udp")).toBe("");
});

test.each(["{", "7", '{"a":1}', "[1,null,{}]"])("a store that has %j is an empty one", (text) => {
  const names = ["wintun-api.filters.recent", "wintun-api.filters.saved"];
  const history = new FilterHistory(storeOf(Object.fromEntries(names.map((name) => [name, text]))));
  expect(history.recent.value).toEqual([]);
  expect(history.saved.value).toEqual([]);
});

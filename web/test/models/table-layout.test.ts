/** The table as its reader left it. */

import { expect, test } from "vitest";
import type { Store } from "../../src/api/store";
import {
  columnRule,
  fieldsOfColumn,
  MOST_COLUMNS,
  TableLayout,
} from "../../src/models/table-layout";
import { Field } from "../../src/packet/dissection";

function storeOf(kept?: unknown): Store {
  const values: Record<string, string | null> = {
    "wintun-api.packets": kept === undefined ? null : JSON.stringify(kept),
  };
  return {
    getItem: (name) => values[name] ?? null,
    setItem: (name, value) => {
      values[name] = value;
    },
  };
}

const shown = (layout: TableLayout): string[] =>
  layout.columns.value.filter((one) => one.shown).map((one) => one.id);

test("what was chosen is there after a reload", () => {
  const store = storeOf();
  const before = new TableLayout(store);
  before.toggle("length");
  before.move("protocol", -2);
  before.resize("source", 200.4);
  expect(before.add("tcp.stream", "Stream")).toBe("");
  before.show("epoch", true);
  before.fold("ip", true);
  const after = new TableLayout(store);
  expect(shown(after)).toEqual([
    ...["number", "time", "direction", "protocol", "source", "destination", "tcp.stream", "info"],
  ]);
  expect(after.columns.value.find((one) => one.id === "source")?.width).toBe(200);
  expect([after.time.value, after.utc.value]).toEqual(["epoch", true]);
  expect(after.folds.value.get("ip")).toBe(true);
});

test("the last column that is shown cannot be hidden", () => {
  const layout = new TableLayout(storeOf());
  for (const { id } of layout.columns.value) layout.toggle(id);
  expect(shown(layout)).toEqual(["info"]);
});

test("only a column that was added can be removed, and reset removes all of them", () => {
  const layout = new TableLayout(storeOf());
  layout.add("dns.id", "Identifier");
  layout.add("dns.id", "Identifier");
  layout.remove("time");
  expect(layout.columns.value).toHaveLength(9);
  layout.remove("dns.id");
  layout.toggle("time");
  layout.reset();
  expect(shown(layout)).toHaveLength(8);
});

test("only a field that can be shown is a column", () => {
  for (const name of ["tcp.stream", "TCP.Stream", "ip.addr", "dns"])
    expect(columnRule(name)).toBe("");
  expect(columnRule("nonsense.field")).toBe('There is no field "nonsense.field".');
  expect(columnRule("tcp.strem")).toContain("did you mean tcp.stream?");
  expect(columnRule("tcp.dport")).toContain("did you mean tcp.dstport?");
  expect(columnRule("frame.number")).toContain("a column cannot show it");
  expect(columnRule("a b")).toContain("Enter the name of a field");
});

test("a column whose name stands for several fields shows all of them", () => {
  const ip = new Field("ip", "IPv4", 0, 20, "", "");
  ip.add("ip.src", "Source", 12, 16, "10.0.0.1");
  ip.add("ip.dst", "Destination", 16, 20, "10.0.0.2");
  expect(fieldsOfColumn([ip], "ip.addr").map(({ text }) => text)).toEqual(["10.0.0.1", "10.0.0.2"]);
});

test("there is a bound on columns", () => {
  const layout = new TableLayout(storeOf());
  for (let i = 0; i < 16; i++) expect(layout.add(`a.${i}`, "A")).toBe("");
  expect(layout.add("b", "B")).toContain(String(MOST_COLUMNS));
});

test.each([
  7,
  null,
  { columns: [null, 3, { id: 7 }], time: "later", folds: [1, null] },
  { columns: [{ id: "info", label: "Info", shown: false, width: 1e9 }] },
])("of a store with %j the rest is as at first", (kept) => {
  const layout = new TableLayout(storeOf(kept));
  expect(layout.columns.value).toHaveLength(8);
  expect(layout.columns.value.every((one) => one.width === null)).toBe(true);
  expect(layout.time.value).toBe("clock");
});

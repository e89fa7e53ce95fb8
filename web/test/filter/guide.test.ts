/** The filters that the guide shows are filters. */

import { expect, it } from "vitest";
import GUIDE from "../../../wintun_api/guide/display-filters.md?raw";
import { compileFilter } from "../../src/filter/parser";

const examples = GUIDE.split("## Examples")[1]?.split("\n## ")[0] ?? "";
const filters = examples.split("\n").flatMap((line) => {
  const [, cell = ""] = /^\| (`.*?) \| /.exec(line.replaceAll("\\|", "\u0000")) ?? [];
  return [...cell.replaceAll("\u0000", "|").matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
});

it("shows several", () => {
  expect(filters.length).toBeGreaterThan(15);
});

it.each(filters)("takes %s", (filter) => {
  expect(compileFilter(filter)).not.toBeNull();
});

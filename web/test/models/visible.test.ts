import { expect, it } from "vitest";
import { unseenRule } from "../../src/models/rules";
import { hasHidden, plainName, visibleParts } from "../../src/models/visible";
import names from "./visible-names.json";

it("characters that cannot be seen are shown as their codes", () => {
  expect(visibleParts("a\u202eb")).toEqual([
    { text: "a", isCode: false },
    { text: "U+202E", isCode: true },
    { text: "b", isCode: false },
  ]);
  expect(plainName("x\u200by\u0007")).toBe("x[U+200B]y[U+0007]");
});

it("a name that can be read stays as it is", () => {
  for (const name of ["OfficeNet", "日本語", "Büro 🖧"]) {
    expect([plainName(name), hasHidden(name)]).toEqual([name, false]);
  }
});

it("a name from right to left does not reorder its sentence", () => {
  expect(plainName("شبكة")).toBe("\u2068شبكة\u2069");
});

// The service reads the same names.
it.each(names)("of %j the first character that cannot be seen is %j", (name, unseen) => {
  const rule = unseenRule(name);
  expect(/U\+[\dA-F]+/.exec(rule)?.[0] ?? "").toBe(unseen);
  expect(hasHidden(name)).toBe(unseen !== "");
});

import { expect, test } from "vitest";
import { TABS, tabOf } from "../src/views/tabs";

test("the address names a tab", () => {
  expect(tabOf("#/packets")).toBe("packets");
});

test("the keys of the tabs that were there first have not changed", () => {
  expect(TABS.map(({ id }) => id).indexOf("hosts")).toBe(6);
});

test("an address that names none shows the overview", () => {
  expect(tabOf("")).toBe("overview");
  expect(tabOf("#/nothing")).toBe("overview");
});

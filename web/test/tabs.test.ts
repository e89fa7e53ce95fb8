import { expect, test } from "vitest";
import { tabOf } from "../src/views/tabs";

test("the address names a tab", () => {
  expect(tabOf("#/packets")).toBe("packets");
});

test("an address that names none shows the overview", () => {
  expect(tabOf("")).toBe("overview");
  expect(tabOf("#/nothing")).toBe("overview");
});

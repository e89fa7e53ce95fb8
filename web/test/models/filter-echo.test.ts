/** What is repeated of a refused filter. */

import { expect, it } from "vitest";
import { FilterError } from "../../src/filter/lexer";
import { compileFilter } from "../../src/filter/parser";
import { echoOf } from "../../src/models/filter-echo";

function refused(text: string) {
  try {
    compileFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return echoOf(text, error);
  }
  throw new Error("It was not refused.");
}

it("is all of a short one, with its offer", () => {
  const { before, wrong, after, message, offer } = refused("tcp && arp");
  expect([before, wrong, after, offer]).toEqual(["tcp && ", "arp", "", 'tcp && "arp"']);
  expect(message).not.toContain("Search the text");
});

it("is what is wrong with a long one, and a little around it", () => {
  const many = Array.from({ length: 20 }, (_, port) => `tcp.port == ${port}`).join(" || ");
  const { before, wrong, after, offer } = refused(`${many} || arp || ${many}`);
  expect(before).toMatch(/^….{30,45} \|\| $/);
  expect([wrong, offer]).toEqual(["arp", ""]);
  expect(after).toMatch(/^ \|\| .{30,45}…$/);
});

it.each([
  "x".repeat(5000),
  `frame.time == "${"nie ".repeat(2000)}"`,
  `tcp.port == ${"9z".repeat(900)}`,
])("ends in the middle of a word that is too long", (text) => {
  const { before, wrong, after, message, offer } = refused(text);
  expect([before, wrong, after, message, offer].join("").length).toBeLessThan(600);
  expect(wrong).toContain("…");
});

it("keeps characters whole", () => {
  const { wrong } = refused("𝒳".repeat(200));
  expect(wrong).toBe(`${"𝒳".repeat(30)}…${"𝒳".repeat(30)}`);
});

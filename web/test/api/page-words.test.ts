import { expect, it } from "vitest";
import { inPageWords } from "../../src/api/page-words";
import type { Problem } from "../../src/api/types";

const problem = (type: string, detail: string, hint = ""): Problem => ({
  type: `urn:wintun-api:problem:${type}`,
  title: "",
  status: 409,
  detail,
  hint,
});

it("an error names no route", () => {
  const found = inPageWords(
    problem("conflict", "It is in use.", "Wait a moment. List the adapters with GET /v1/adapters."),
  );
  expect(found.hint).toBe("Wait a moment.");
});

it("an error number of the driver is in no sentence", () => {
  const found = inPageWords(
    problem("driver-error", "It failed. (WintunCreateAdapter: win32 error 5)"),
  );
  expect(found.detail).toBe("It failed.");
});

it("a session that is not there has ended", () => {
  const found = inPageWords(problem("session-not-found", "No session has the id '87b7'.", "List."));
  expect([found.detail, found.hint]).toEqual([
    "The session has ended.",
    "Start it again on the Overview.",
  ]);
});

it("versions and addresses do not end a sentence", () => {
  expect(inPageWords(problem("x", "a", "Use Wintun 0.14.1 or 10.6.7.7. Try again.")).hint).toBe(
    "Use Wintun 0.14.1 or 10.6.7.7. Try again.",
  );
});

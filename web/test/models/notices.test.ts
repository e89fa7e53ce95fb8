import { describe, expect, it } from "vitest";
import { ProblemError } from "../../src/api/client";
import { Attempt } from "../../src/models/attempt";
import { NoticesModel } from "../../src/models/notices";

const refused = new ProblemError({
  type: "urn:wintun-api:problem:adapter-in-use",
  title: "In use",
  status: 409,
  detail: "A session runs.",
});

/** Something that ends when it is told to. */
function pending(): { promise: Promise<string>; resolve: (text: string) => void } {
  return Promise.withResolvers<string>();
}

describe("the notices", () => {
  it("say what was done", async () => {
    const notices = new NoticesModel();
    const done = await notices.attempt(
      "Release",
      async () => "OfficeNet",
      (name) => `${name} is gone.`,
    );
    expect(done).toBe(true);
    expect(notices.current.value).toMatchObject({ failed: false, text: "OfficeNet is gone." });
  });

  it("say what failed, with the problem", async () => {
    const notices = new NoticesModel();
    const done = await notices.attempt(
      "Release",
      () => Promise.reject(refused),
      () => "",
    );
    expect(done).toBe(false);
    expect(notices.current.value).toEqual({
      failed: true,
      text: "Release: A session runs.",
      problem: refused.problem,
    });
  });

  it("let one thing happen at a time", async () => {
    const notices = new NoticesModel();
    const { promise, resolve } = pending();
    const first = notices.attempt("Open", () => promise, String);
    expect(notices.busy.value).toBe("Open");
    expect(await notices.attempt("Stop", async () => "", String)).toBe(false);
    resolve("opened");
    await first;
    expect([notices.busy.value, notices.current.value?.text]).toEqual(["", "opened"]);
  });
});

describe("the attempt of a dialog", () => {
  it("keeps the problem until the next one", async () => {
    const attempt = new Attempt();
    expect(await attempt.run(() => Promise.reject(refused))).toBe(false);
    expect(attempt.problem.value).toEqual(refused.problem);
    expect(await attempt.run(async () => undefined)).toBe(true);
    expect(attempt.problem.value).toBeNull();
  });

  it("is not made twice by a second click", async () => {
    const attempt = new Attempt();
    const { promise, resolve } = pending();
    const first = attempt.run(() => promise);
    expect(await attempt.run(async () => undefined)).toBe(false);
    resolve("");
    expect([await first, attempt.busy.value]).toEqual([true, false]);
  });

  it("tells an error without a problem document as a problem, too", async () => {
    const attempt = new Attempt();
    await attempt.run(() => Promise.reject(new Error("The service cannot be reached.")));
    expect(attempt.problem.value?.detail).toBe("The service cannot be reached.");
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProblemError } from "../../src/api/client";
import type { FilterVerdict } from "../../src/api/types";
import { FilterCheck } from "../../src/models/filter-check";

const WRONG = { valid: false, error: { message: "syntax error", offset: 4 } };

describe("the check of a filter", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A check whose answers are these, the first one first, and what it asked. */
  function checking(...answers: (FilterVerdict | Error | Promise<FilterVerdict>)[]) {
    const asked: string[] = [];
    const check = new FilterCheck(async (filter) => {
      asked.push(filter);
      const answer = answers.shift();
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    });
    return { check, asked };
  }
  const pause = () => vi.advanceTimersByTimeAsync(300);

  it("waits until nothing more is typed", async () => {
    const { check, asked } = checking({ valid: true });
    for (const text of ["t", "tc", "tcp"]) {
      check.set(text);
      await vi.advanceTimersByTimeAsync(200);
    }
    expect([asked, check.state.value.name]).toEqual([[], "checking"]);
    await pause();
    expect([asked, check.state.value.name]).toEqual([["tcp"], "valid"]);
  });

  it("says what is wrong and where", async () => {
    const { check } = checking(WRONG);
    check.set("tcp prot 80");
    await pause();
    expect(check.state.value).toEqual({ name: "wrong", message: "syntax error", offset: 4 });
  });

  it("does not ask about nothing", async () => {
    const { check, asked } = checking();
    check.set("tcp");
    check.set("  ");
    await pause();
    expect([asked, check.state.value.name]).toEqual([[], "empty"]);
  });

  it("drops an answer about what is no longer there", async () => {
    let answer: (verdict: FilterVerdict) => void = () => undefined;
    const slow = new Promise<FilterVerdict>((resolve) => {
      answer = resolve;
    });
    const { check } = checking(slow, { valid: true });
    check.set("tcp prot 80");
    await pause();
    check.set("tcp");
    await pause();
    answer(WRONG);
    await pause();
    expect(check.state.value.name).toBe("valid");
  });

  it("tells a service without libpcap from one that cannot be reached", async () => {
    const problem = {
      type: "x",
      title: "No",
      status: 501,
      detail: "No libpcap.",
      hint: "Install.",
    };
    const { check } = checking(new ProblemError(problem), new Error("Away."));
    check.set("tcp");
    await pause();
    expect(check.state.value).toEqual({ name: "unavailable", message: "No libpcap. Install." });
    check.set("udp");
    await pause();
    expect(check.state.value).toEqual({ name: "unchecked", message: "Away." });
  });

  it("checks at once what is to be sent", async () => {
    const { check, asked } = checking(WRONG, { valid: true }, new Error("Away."));
    check.set("tcp prot 80");
    expect(await check.mayBeSent()).toBe(false);
    expect(check.state.value).toMatchObject({ name: "wrong", offset: 4 });
    check.set("tcp");
    expect(await check.mayBeSent()).toBe(true);
    await pause();
    expect(asked).toEqual(["tcp prot 80", "tcp"]);
    check.set("udp");
    expect(await check.mayBeSent()).toBe(true);
  });

  it("keeps the place of a fault that the service refuses once more", async () => {
    const { check } = checking(WRONG);
    check.set("tcp prot 80");
    await pause();
    check.refuse("The filter is not valid.");
    expect(check.state.value).toMatchObject({ message: "syntax error", offset: 4 });
    check.set("tcp x");
    check.refuse("The filter is not valid.");
    await pause();
    expect(check.state.value).toEqual({
      name: "wrong",
      message: "The filter is not valid.",
      offset: 5,
    });
  });
});

import { expect, it } from "vitest";
import type { Adapter } from "../../src/api/types";
import { changesOf } from "../../src/models/adapter-changes";
import { adapter } from "../examples";
// The command line reads the same cases.
import cases from "./adapter-changes.json";

it.each(cases)("tells $told", ({ before, after, told }) => {
  const made = (changes: object) => adapter(changes as Partial<Adapter>);
  expect(changesOf(made(before), made(after))).toEqual(told);
});

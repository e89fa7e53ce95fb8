/** Every name that the tree of a packet shows is one that a filter takes. */

import { expect, test } from "vitest";
import { FIELDS } from "../../src/filter/fields";
import type { Field } from "../../src/packet/dissection";
import { eachPacket } from "./packets";

const SOURCES: Record<string, string> = import.meta.glob(
  ["../../src/packet/*.ts", "../../src/analysis/*.ts"],
  { query: "?raw", import: "default", eager: true },
);

/** Call `see` with each field that the decoder and the analysis show in the corpus. */
function eachField(see: (field: Field) => void): void {
  const walk = (field: Field): void => {
    if (field.name !== "") see(field);
    field.fields.forEach(walk);
  };
  eachPacket(({ dissection, notes }) => {
    dissection.layers.forEach(walk);
    notes.forEach(walk);
  });
}

test("every name that is shown is known", () => {
  const unknown = new Set<string>();
  eachField(({ name }) => {
    if (!FIELDS.has(name)) unknown.add(name);
  });
  expect([...unknown]).toEqual([]);
});

test("every value is of the kind that its name has", () => {
  const wrong = new Set<string>();
  eachField(({ name, value }) => {
    const kind = FIELDS.get(name)?.kind ?? "";
    const kinds: Readonly<Record<string, readonly string[]>> = {
      number: ["number", "boolean"],
      seconds: ["number"],
      boolean: ["boolean"],
      text: ["string"],
      ipv4: ["string"],
      ipv6: ["string"],
    };
    const fits = kinds[kind];
    if (value !== "" && fits !== undefined && !fits.includes(typeof value)) wrong.add(name);
  });
  expect([...wrong]).toEqual([]);
});

test("every name that stands in the decoder's tables is the end of a known one", () => {
  const ends = new Set<string>();
  for (const name of FIELDS.keys()) {
    const parts = name.split(".");
    for (let at = 0; at < parts.length; at++) ends.add(parts.slice(at).join("."));
  }
  const unknown = Object.entries(SOURCES).flatMap(([file, source]) =>
    [...source.matchAll(/(?<=["`;])([a-z][\w.]*):[A-Z][^:;"`]*:[\^\d*$]/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !ends.has(name))
      .map((name) => `${file} ${name}`),
  );
  expect(unknown).toEqual([]);
});

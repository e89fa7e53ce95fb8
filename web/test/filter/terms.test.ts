/** What the page writes when a field is chosen as a filter finds the packet that shows the field. */

import { expect, test } from "vitest";
import { FIELDS } from "../../src/filter/fields";
import { compileFilter, type Filter } from "../../src/filter/parser";
import { termOf } from "../../src/models/filter-terms";
import type { Field } from "../../src/packet/dissection";
import { eachPacket } from "./packets";

test("every field of every packet, as a filter, finds the packet", () => {
  const filters = new Map<string, Filter | null>();
  const wrong: string[] = [];
  eachPacket((subject, row) => {
    const look = (field: Field): void => {
      if (field.name !== "") {
        const term = termOf(field);
        if (!filters.has(term)) filters.set(term, compileFilter(term));
        if (!filters.get(term)?.test(subject)) wrong.push(`${term} in ${row + 1}`);
      }
      field.fields.forEach(look);
    };
    subject.dissection.layers.forEach(look);
    subject.notes.forEach(look);
  });
  expect(wrong).toEqual([]);
});

test("the name of every value, as it is shown, finds the packet", () => {
  const wrong = new Set<string>();
  eachPacket((subject, row) => {
    const look = (field: Field): void => {
      const [, before, after] = /^(.*) \((?:0x)?[\da-f]+\)$|^\d+ \((.*)\)$/.exec(field.text) ?? [];
      const name = before ?? after ?? (field.name.endsWith(".status") ? field.text : undefined);
      // The text of an option is that of what it holds.
      const isOwn =
        name !== undefined && !name.startsWith("Unknown") && !/option.type$/.test(field.name);
      if (FIELDS.get(field.name)?.named && isOwn) {
        const term = `${field.name} == "${name}"`;
        try {
          if (!compileFilter(term)?.test(subject)) wrong.add(`${term} in ${row + 1}`);
        } catch (error) {
          wrong.add(`${term}: ${error}`);
        }
      }
      field.fields.forEach(look);
    };
    subject.dissection.layers.forEach(look);
  });
  expect([...wrong]).toEqual([]);
});

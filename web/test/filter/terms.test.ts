/** What the page writes when a field is chosen as a filter finds the packet that shows the field. */

import { expect, test } from "vitest";
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

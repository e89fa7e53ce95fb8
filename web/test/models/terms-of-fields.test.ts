/** A filter that the menu of a field writes shows the packet that the field is in. */

import { expect, test } from "vitest";
import { compileFilter } from "../../src/filter/parser";
import { ALONE, PacketSubject } from "../../src/filter/subject";
import { termOf } from "../../src/models/filter-terms";
import { decode } from "../../src/packet/decode";
import type { Field } from "../../src/packet/dissection";
import CORPUS from "../packet/corpus.json";

test("every field of every packet", () => {
  const wrong = new Set<string>();
  let tried = 0;
  for (const { packet } of CORPUS as readonly { packet: string }[]) {
    const bytes = Uint8Array.from(packet.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const { layers } = decode(bytes);
    const subject = new PacketSubject(ALONE);
    subject.headers.read(bytes, 0, bytes.length, bytes.length, false);
    const look = (field: Field): void => {
      if (field.name !== "") {
        const term = termOf(field);
        tried++;
        subject.point(0, 1);
        try {
          if (!compileFilter(term)?.test(subject)) wrong.add(`${term} (${field.text})`);
        } catch (error) {
          wrong.add(`${term}: ${(error as Error).message}`);
        }
      }
      field.fields.forEach(look);
    };
    layers.forEach(look);
  }
  expect(tried).toBeGreaterThan(5000);
  expect([...wrong]).toEqual([]);
});

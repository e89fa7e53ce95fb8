/** Every field that is shown can be filtered by the name and the value that are shown. */

import { expect, it } from "vitest";
import { compileFilter } from "../../src/filter/parser";
import { ALONE, PacketSubject } from "../../src/filter/subject";
import { decode } from "../../src/packet/decode";
import type { Field, Value } from "../../src/packet/dissection";
import { parseHex } from "../../src/packet/hex";
import corpus from "./corpus.json";

const PLAIN = /^(?:[0-9a-f]{2}:)+[0-9a-f]{2}$|^[0-9.]+$|^[0-9a-f:.]*:[0-9a-f:.]*$/;

/** Return the filter by which a field is asked for. */
function filterOf(name: string, value: Value): string {
  if (value === "") return name;
  if (typeof value !== "string") return `${name} == ${Number(value)}`;
  return `${name} == ${PLAIN.test(value) ? value : JSON.stringify(value)}`;
}

it("a filter by any field of any packet finds the packet", () => {
  const subject = new PacketSubject(ALONE);
  const lost: string[] = [];
  for (const { packet } of corpus as unknown as { packet: string }[]) {
    const bytes = parseHex(packet);
    subject.headers.read(bytes, 0, bytes.length, bytes.length, false);
    subject.point(0, 1);
    const walk = (field: Field): void => {
      const filter = filterOf(field.name, field.value);
      if (field.name !== "" && !compileFilter(filter)?.test(subject)) lost.push(filter);
      field.fields.forEach(walk);
    };
    decode(bytes).layers.forEach(walk);
  }
  expect(lost).toEqual([]);
});

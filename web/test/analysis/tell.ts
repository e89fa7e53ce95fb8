/**
 * Tell what the analysis knows of each packet of a pcap file, a line of JSON each, for tests that
 * compare it with others: `node tell.js FILE`. The file has raw IP packets and nanoseconds.
 */

import { readFileSync } from "node:fs";
import { Analysis } from "../../src/analysis/analysis";
import type { Field } from "../../src/packet/dissection";
import { Headers } from "../../src/packet/headers";

const file = new Uint8Array(readFileSync(process.argv[2] ?? ""));
const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
const analysis = new Analysis({ rows: 1 << 20, conversations: 16_384 });
const headers = new Headers();
let row = 0;
for (let at = 24; at + 16 <= file.length; row++) {
  const [seconds, nanoseconds, captured, original] = [0, 4, 8, 12].map((offset) =>
    view.getUint32(at + offset, true),
  ) as [number, number, number, number];
  headers.read(file, at + 16, at + 16 + captured, original, false);
  analysis.add(row, headers, BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
  at += 16 + captured;
}
const lines: string[] = [];
for (let i = 0; i < row; i++) {
  const told: Record<string, unknown> = {};
  const tell = (fields: readonly Field[]): void => {
    for (const field of fields) {
      told[field.name] = field.value;
      tell(field.fields);
    }
  };
  tell(analysis.fieldsOf(i));
  lines.push(JSON.stringify(told));
}
process.stdout.write(`${lines.join("\n")}\n`);

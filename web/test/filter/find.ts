/**
 * Find packets of a pcap file, a line of JSON with their numbers for each filter, for tests that
 * compare them with others: `node find.js FILE FILTER ...`. The file has raw IP packets.
 */

import { readFileSync } from "node:fs";
import { Analysis } from "../../src/analysis/analysis";
import { compileFilter } from "../../src/filter/parser";
import { PacketSubject } from "../../src/filter/subject";
import { Headers } from "../../src/packet/headers";

const [path = "", ...filters] = process.argv.slice(2);
const file = new Uint8Array(readFileSync(path));
const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
const analysis = new Analysis({ rows: 1 << 20, conversations: 16_384 });
const rows: { timeNs: bigint; read: (headers: Headers) => void }[] = [];
const headers = new Headers();
for (let at = 24; at + 16 <= file.length; ) {
  const word = (offset: number) => view.getUint32(at + offset, true);
  const [start, captured, original] = [at + 16, word(8), word(12)];
  const timeNs = BigInt(word(0)) * 1_000_000_000n + BigInt(word(4));
  const read = (to: Headers) => to.read(file, start, start + captured, original, false);
  read(headers);
  analysis.add(rows.length, headers, timeNs);
  rows.push({ timeNs, read });
  at = start + captured;
}
const timeNs = (row: number): bigint => rows[row]?.timeNs ?? 0n;
const subject = new PacketSubject({
  timeNs,
  previousNs: (row) => timeNs(Math.max(0, row - 1)),
  originNs: () => timeNs(0),
  notes: (row) => analysis.fieldsOf(row),
  record: (row, protocol) => analysis.recordOf(row, protocol),
  begins: (row) => analysis.beginsOf(row),
});
for (const text of filters) {
  const filter = compileFilter(text);
  const found = rows.flatMap(({ read }, row) => {
    read(subject.headers);
    subject.point(row, row + 1);
    return filter === null || filter.test(subject) ? [row + 1] : [];
  });
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** The corpus as one capture, each packet pointed at with all that is known around it. */

import { Analysis } from "../../src/analysis/analysis";
import { compileFilter } from "../../src/filter/parser";
import { PacketSubject } from "../../src/filter/subject";
import { Headers } from "../../src/packet/headers";
import { parseHex } from "../../src/packet/hex";
import corpus from "../packet/corpus.json";

export const PACKETS: readonly Uint8Array[] = corpus.map(({ packet }) => parseHex(packet));

/** Ten in a second, a millisecond apart, as tests/packet/filters.py has them. */
function timeNs(row: number): bigint {
  return (
    BigInt(1_700_000_000 + Math.floor(row / 10)) * 1_000_000_000n + BigInt(row % 10) * 1_000_000n
  );
}

let analysis: Analysis | null = null;

function analysed(): Analysis {
  if (analysis !== null) return analysis;
  analysis = new Analysis({ rows: 4096, conversations: 4096 });
  const headers = new Headers();
  for (const [row, packet] of PACKETS.entries()) {
    headers.read(packet, 0, packet.length, packet.length, false);
    analysis.add(row, headers, timeNs(row));
  }
  return analysis;
}

/** Call `see` with each packet. */
export function eachPacket(see: (subject: PacketSubject, row: number) => void): void {
  const known = analysed();
  const subject = new PacketSubject({
    timeNs,
    previousNs: (row) => timeNs(Math.max(0, row - 1)),
    originNs: () => timeNs(0),
    notes: (row) => known.fieldsOf(row),
    record: (row, protocol) => known.recordOf(row, protocol),
    begins: (row) => known.beginsOf(row),
  });
  for (const [row, packet] of PACKETS.entries()) {
    subject.headers.read(packet, 0, packet.length, packet.length, false);
    subject.point(row, row + 1);
    see(subject, row);
  }
}

/** Numbers of the packets that a filter finds, from 1. */
export function numbersOf(text: string): number[] {
  const filter = compileFilter(text);
  const found: number[] = [];
  eachPacket((subject, row) => {
    if (filter === null || filter.test(subject)) found.push(row + 1);
  });
  return found;
}

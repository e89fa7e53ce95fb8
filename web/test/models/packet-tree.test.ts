/** The tree of the selected packet. */

import { expect, test } from "vitest";
import {
  aboutNode,
  isOpen,
  neighbour,
  nodeAt,
  seenOf,
  treeOf,
  visibleNodes,
} from "../../src/models/packet-tree";
import { decode } from "../../src/packet/decode";
import { Field } from "../../src/packet/dissection";

// 10.6.7.7 to 10.6.7.8, UDP 40000 to 9999, five bytes of data.
const UDP = Uint8Array.from([
  ...[0x45, 0, 0, 33, 0, 1, 0, 0, 64, 17, 0, 0, 10, 6, 7, 7, 10, 6, 7, 8],
  ...[0x9c, 0x40, 0x27, 0x0f, 0, 13, 0, 0, 1, 2, 3, 4, 5],
]);
const NONE: ReadonlyMap<string, boolean> = new Map();
const roots = treeOf(decode(UDP).layers, []);
const names = (nodes: readonly { field: Field }[]) => nodes.map(({ field }) => field.name);

test("only the last layer is open at first", () => {
  expect(roots.map((root) => isOpen(root, roots, NONE))).toEqual([false, false, true]);
  expect(names(visibleNodes(roots, NONE)).slice(0, 3)).toEqual(["ip", "udp", "data"]);
});

test("a layer stays as the reader left it, in every packet", () => {
  const folds = new Map([
    ["udp", true],
    ["data", false],
  ]);
  const again = treeOf(decode(UDP.slice()).layers, []);
  expect(names(visibleNodes(again, folds))).toContain("udp.dstport");
  expect(again.map((root) => isOpen(root, again, folds))).toEqual([false, true, false]);
});

test("a field that is only to be found is not shown", () => {
  const layer = new Field("http", "HTTP", 0, 9, "", "");
  layer.add("http.host", "Host", 0, 7, "a").add("http.request.line", "", 0, 9, "Host: a\r\n");
  const [root] = treeOf([layer], []);
  expect(root?.children.map(({ children }) => children.length)).toEqual([0]);
});

test("each byte has its field, and each field what to say of it", () => {
  const ttl = nodeAt(roots, 8);
  expect(ttl?.field.name).toBe("ip.ttl");
  expect(ttl && aboutNode(ttl)).toBe("Byte 8: Time to live (ip.ttl), 64");
  expect(nodeAt(roots, 99)).toBeNull();
});

test("a field in a folded layer is found by its layer", () => {
  const ttl = nodeAt(roots, 8);
  const seen = ttl && seenOf(ttl, visibleNodes(roots, NONE));
  expect(seen?.field.name).toBe("ip");
});

test("keys go from field to field, byte after byte, and stop at the ends", () => {
  const first = neighbour(roots, UDP.length, null, 1);
  expect(first?.field.start).toBe(0);
  const next = first && neighbour(roots, UDP.length, first, 1);
  expect(next?.field.start).toBe(first?.field.end);
  const last = neighbour(roots, UDP.length, null, -1);
  expect(last?.field.end).toBe(UDP.length);
  expect(last && neighbour(roots, UDP.length, last, 1)).toBeNull();
});

test("what other packets say stands in its layer, relative numbers before the raw ones", () => {
  const layer = new Field("tcp", "TCP", 0, 20, "", "");
  layer.add("tcp.srcport", "Source port", 0, 2, 80);
  layer.add("tcp.seq_raw", "Sequence number (raw)", 4, 8, 1_000_001);
  const notes = [
    new Field("tcp.stream", "Stream index", 0, 0, 3, "3"),
    new Field("tcp.seq", "Sequence number", 4, 8, 1, "1"),
    new Field("http.response_in", "Response in packet", 0, 0, 12, "12"),
  ];
  const [tcp, note] = treeOf([layer], notes);
  expect(names(tcp?.children ?? [])).toEqual([
    "tcp.srcport",
    "tcp.seq",
    "tcp.seq_raw",
    "tcp.stream",
  ]);
  expect(note).toMatchObject({ isNote: true, jump: 12 });
  expect(tcp && nodeAt([tcp], 5)?.field.name).toBe("tcp.seq_raw");
});

/** Segments that go on with a message or a record of an earlier one. */

import { expect, test } from "vitest";
import { decode } from "../../src/packet/decode";
import { ipv4, tcp, text } from "./made";

const GET = "GET /next HTTP/1.1\r\n\r\n";
const names = (words: string, begins?: number) => {
  const packet = ipv4(6, tcp(80, text(words)));
  const { layers } = decode(packet, packet.length, begins);
  return layers.slice(2).map(({ name }) => name);
};

test("what begins behind the rest of an earlier message is decoded", () => {
  expect(names(`rest${GET}`, 4)).toEqual(["data", "http"]);
});

test("what lies inside a message is none, whatever it looks like", () => {
  expect(names(GET, 0xffff)).toEqual(["data"]);
});

test("every message of a segment is decoded, and the row tells of all", () => {
  const packet = ipv4(6, tcp(80, text(GET + GET.replace("next", "last"))));
  expect(decode(packet).info).toBe("GET /next HTTP/1.1, GET /last HTTP/1.1");
  expect(names(GET + GET)).toEqual(["http", "http"]);
});

test("a status whose digits are in two segments is not told wrongly", () => {
  const packet = ipv4(6, tcp(80, text("HTTP/1.1 40")));
  const [line] = decode(packet).layers[2]?.fields ?? [];
  expect(line?.fields.map(({ name }) => name)).toEqual(["http.response.version"]);
});

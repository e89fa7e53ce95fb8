/** What the cells of a row say. */

import { describe, expect, it, test } from "vitest";
import { PacketRing } from "../../src/models/packet-ring";
import { relativeInfo, rowText, timeText } from "../../src/models/packet-text";
import { Field } from "../../src/packet/dissection";
import { pack, unpack } from "../../src/wire/batch";
import { ipv4, tcp, text } from "../packet/made";

const TIME = 1_767_323_045_000_123_456n; // 2026-01-02 03:04:05.000123456 UTC

test.each([
  ["clock", 0n, "03:04:05.000123"],
  ["date", 0n, "2026-01-02 03:04:05.000123"],
  ["epoch", 0n, "1767323045.000123"],
  ["start", TIME - 1_500_000_000n, "1.500000"],
  ["previous", TIME + 2_000n, "−0.000002"],
] as const)("a time as %s", (format, since, text) => {
  expect(timeText(TIME, format, since, true)).toBe(text);
});

test("a local time has the hour of the browser", () => {
  const hours = new Date(Number(TIME / 1_000_000n)).getHours();
  expect(timeText(TIME, "clock", 0n)).toMatch(new RegExp(`^${String(hours).padStart(2, "0")}:`));
});

test("a row says what ends in it, before what begins in it", () => {
  const ring = new PacketRing();
  const packet = ipv4(6, tcp(80, text("...HTTP/1.1 204 No Content\r\n\r\n")));
  for (const batch of unpack(pack([packet]))) ring.take(batch);
  const ended = new Field("http", "", 0, 0, "", "HTTP/1.1 200 OK");
  ended.add("http.response", "", 0, 0, true);
  const engine = { notes: () => [ended], begins: () => 3 };
  expect(rowText({ ring, engine }, 0)).toMatchObject({
    protocol: "HTTP",
    info: "HTTP/1.1 200 OK, HTTP/1.1 204 No Content",
  });
});

describe("the line of a segment", () => {
  const info = "1000 → 80 [ACK] Seq=3452187154 Ack=700 Win=64240 Len=0";
  const note = (name: string, value: number) => new Field(name, "", 0, 0, value, String(value));

  it("has no number before it is known that it stays", () => {
    expect(relativeInfo(info, undefined)).toBe("1000 → 80 [ACK] Seq=… Ack=… Win=… Len=0");
  });

  it("has relative numbers where they are known, and else its own", () => {
    const notes = [note("tcp.seq", 1), note("tcp.ack", 12), note("tcp.window_size", 8)];
    expect(relativeInfo(info, notes)).toBe("1000 → 80 [ACK] Seq=1 Ack=12 Win=8 Len=0");
    expect(relativeInfo(info, [])).toBe(info);
  });
});

test.each([
  ["icmp.resp_in", "ping (reply in 7)"],
  ["icmpv6.resp_to", "ping (request in 7)"],
  ["icmp.resptime", "ping"],
])("the line of an echo with %s", (name, line) => {
  expect(relativeInfo("ping", [new Field(name, "", 0, 0, 7, "7")])).toBe(line);
});

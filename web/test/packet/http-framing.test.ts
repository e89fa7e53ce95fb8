/** Where messages of HTTP/1 begin, whatever the segments are that carry them. */

import { expect, test } from "vitest";
import { HttpFraming } from "../../src/packet/http-framing";
import { text } from "./made";

/** Places of the messages in a text that comes in pieces of a size. */
function starts(words: string, size = 10_000, hasBody = true): number[] {
  const bytes = text(words);
  const framing = new HttpFraming();
  const found: number[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    framing.read(bytes, at, Math.min(bytes.length, at + size), {
      onMessage: (place) => {
        found.push(place);
        return hasBody;
      },
    });
  }
  return found;
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const EMPTY = "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n";
const CHUNKS =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nGET\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n";
const SIZED = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nGET /";
const LATE = "HTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n\r\n";

test.each([
  ["requests without a body", GET + GET, [0, GET.length]],
  ["an answer that can have no body", EMPTY + SIZED, [0, EMPTY.length]],
  ["chunks with a trailer", CHUNKS + EMPTY, [0, CHUNKS.length]],
  ["a body of a size", SIZED + EMPTY, [0, SIZED.length]],
  ["a body up to the end of the connection", LATE, [0]],
  ["another protocol behind 101", "HTTP/1.1 101 Switching\r\n\r\nGET / HTTP/1.1\r\n\r\n", [0]],
  ["what is no HTTP", `${GET}hello${GET}`, [0]],
])("behind %s", (_, words, expected) => {
  expect(starts(words)).toEqual(expected);
});

test("a message is found when what is before it comes in small pieces", () => {
  const before = CHUNKS + SIZED;
  for (let size = 1; size < 40; size++) {
    expect(starts(before + EMPTY, size)).toEqual([0, CHUNKS.length, before.length]);
  }
});

test("an answer to HEAD has no body, whether one knows of HEAD or sees the next answer", () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
  expect(starts(answer + EMPTY)).toEqual([0, answer.length]);
  expect(starts(answer + GET, 10_000, false)).toEqual([0, answer.length]);
});

test("missing bytes of a body are passed over, and missing heads are not", () => {
  const framing = new HttpFraming();
  const bytes = text(SIZED);
  framing.read(bytes, 0, bytes.length - 4, { onMessage: () => true });
  framing.skip(3);
  expect([framing.isInside, framing.room]).toEqual([true, 1]);
  framing.skip(2);
  expect(framing.isInside).toBe(false);
});

/** Conversations put together again. */

import { describe, expect, it } from "vitest";
import type { Followed, How } from "../../src/analysis/conversation";
import { ACK, FIN, HOST, ipv4, PEER, RST, SYN, tcp, udp, Wire } from "./packets";

function follow(wire: Wire, how: How = "tcp"): Followed {
  const followed = wire.analysis.follow(wire.analysis.conversationOf(wire.row - 1), how);
  if (followed === null) throw new Error("It is not kept.");
  return followed;
}

/** Each chunk as `0:text`, after what is missing. */
function said({ chunks }: Followed): string[] {
  return chunks.map(
    ({ side, bytes, missing }) =>
      `${missing > 0 ? `(${missing}) ` : ""}${side}:${new TextDecoder().decode(bytes)}`,
  );
}

describe("TCP", () => {
  it("joins what one end says until the other speaks", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "he" });
    wire.out({ seq: 103, ack: 501, data: "llo" });
    wire.back({ seq: 501, ack: 106, data: "hi" });
    expect(said(follow(wire))).toEqual(["0:hello", "1:hi"]);
  });

  it("tells of each part which packet brought it", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 104, ack: 501, data: "lo" });
    wire.out({ seq: 101, ack: 501, data: "hel" });
    wire.back({ seq: 501, ack: 106, data: "hi" });
    const [hello, hi] = follow(wire).chunks.map(({ row, parts }) => [
      row,
      parts.map((part) => [part.at, part.row]),
    ]);
    expect(hello).toEqual([
      4,
      [
        [0, 4],
        [3, 3],
      ],
    ]);
    expect(hi).toEqual([5, [[0, 5]]]);
  });

  it("puts segments in order, and has each byte once", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 104, ack: 501, data: "lo" });
    wire.out({ seq: 101, ack: 501, data: "hel" });
    wire.out({ seq: 102, ack: 501, data: "el" });
    wire.out({ seq: 105, ack: 501, data: "o!" });
    expect(said(follow(wire))).toEqual(["0:hello!"]);
  });

  it("marks what never came", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "abc" });
    wire.out({ seq: 110, ack: 501, data: "xyz" });
    wire.back({ seq: 501, ack: 113, data: "ok" });
    const followed = follow(wire);
    expect(said(followed)).toEqual(["0:abc", "(6) 0:xyz", "1:ok"]);
    expect(followed.missing).toBe(6);
  });

  it("marks what was cut from packets", () => {
    const wire = new Wire();
    wire.shake();
    const packet = ipv4(HOST, PEER, 6, tcp(1000, 80, { seq: 101, ack: 501, data: "0123456789" }));
    wire.add(packet, { captured: 44 });
    wire.out({ seq: 111, ack: 501, data: "next" });
    expect(said(follow(wire))).toEqual(["0:0123", "(6) 0:next"]);
  });

  it("leaves out the byte of a keep-alive", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "abc" });
    wire.out({ seq: 103, ack: 501, data: "\0" });
    wire.out({ seq: 104, ack: 501, flags: FIN | ACK });
    expect(said(follow(wire))).toEqual(["0:abc"]);
  });

  it("says how many packets are no longer kept", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "abc" });
    wire.out({ seq: 104, ack: 501, data: "def" });
    wire.analysis.drop(4);
    const followed = follow(wire);
    expect(followed.dropped).toBe(4);
    expect(said(followed)).toEqual(["0:def"]);
  });

  it("ends at its bound, and says so", () => {
    const wire = new Wire(10, 8192);
    wire.shake();
    const data = new Uint8Array(60_000);
    for (let i = 0; i < 80; i++) wire.out({ seq: 101 + i * data.length, ack: 501, data });
    const followed = follow(wire);
    expect(followed.size).toBe(4 * 1024 * 1024);
    expect(followed.cut).toBe(80 * data.length - followed.size);
  });
});

it("tells no data at all from data that is not kept", () => {
  const wire = new Wire();
  wire.out({ seq: 100, flags: SYN });
  wire.back({ seq: 0, ack: 101, flags: RST | ACK });
  expect(follow(wire).hasData).toBe(false);
  wire.shake();
  const packet = ipv4(HOST, PEER, 6, tcp(1000, 80, { seq: 101, ack: 501, data: "hello" }));
  wire.add(packet, { captured: 40 });
  expect(follow(wire)).toMatchObject({ chunks: [], hasData: true });
});

describe("UDP", () => {
  it("counts fragments, which are not put together", () => {
    const wire = new Wire();
    const whole = udp(1000, 80, new Uint8Array(24));
    for (const [word, at] of [[0x2000, 0] as const, [2, 16] as const]) {
      const packet = ipv4(HOST, PEER, 17, whole.subarray(at, at + 16));
      new DataView(packet.buffer).setUint16(6, word);
      wire.add(packet);
    }
    expect(follow(wire, "udp")).toMatchObject({ chunks: [], fragments: 2 });
  });

  it("keeps datagrams apart", () => {
    const wire = new Wire();
    for (const text of ["a", "b"]) {
      wire.add(ipv4(HOST, PEER, 17, udp(1, 2, new TextEncoder().encode(text))));
    }
    wire.add(ipv4(PEER, HOST, 17, udp(2, 1, new TextEncoder().encode("c"))));
    expect(said(follow(wire, "udp"))).toEqual(["0:a", "0:b", "1:c"]);
  });
});

describe("HTTP", () => {
  const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

  it("finds requests and answers, with their bodies", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" });
    wire.back({ seq: 501, ack: 143, data: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" });
    const { messages } = follow(wire, "http");
    expect(messages.map(({ side, body }) => [side, text(body)])).toEqual([
      [0, "abc"],
      [1, "ok"],
    ]);
  });

  it("names the packets that a message came in, also behind another one", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "HEAD /a HTTP/1.1\r\n\r\nHEAD /b HT" });
    wire.out({ seq: 131, ack: 501, data: "TP/1.1\r\n\r\n" });
    wire.out({ seq: 141, ack: 501, data: "HEAD /c HTTP/1.1\r\n\r\n" });
    const { messages } = follow(wire, "http");
    expect(messages.map(({ row, parts }) => [row, parts.map((part) => part.row)])).toEqual([
      [3, [3]],
      [3, [3, 4]],
      [5, [5]],
    ]);
  });

  it("joins the chunks of a body", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "GET / HTTP/1.1\r\n\r\n" });
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n";
    wire.back({ seq: 501, ack: 119, data: `${head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n` });
    const [, answer] = follow(wire, "http").messages;
    expect(answer).toMatchObject({ encoding: "gzip", fault: "" });
    expect(text(answer?.body)).toBe("abcde");
  });

  it("expects no body after HEAD", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n" });
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    wire.back({ seq: 501, ack: 137, data: `${answer}${answer}hello` });
    const bodies = follow(wire, "http").messages.filter(({ side }) => side === 1);
    expect(bodies.map(({ body }) => text(body))).toEqual(["", "hello"]);
  });

  it("says that the end of a body is missing", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "GET / HTTP/1.1\r\n\r\n" });
    wire.back({ seq: 501, ack: 119, data: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf" });
    expect(follow(wire, "http").messages[1]?.fault).toBe("46 bytes are missing.");
  });

  it("reads a head as UTF-8, and one that is none as Latin-1", () => {
    const bytes = (request: string) =>
      Uint8Array.from(`GET /${request} HTTP/1.1\r\n\r\n`, (one) => one.charCodeAt(0));
    const wire = new Wire();
    wire.shake();
    const first = bytes("gr\xc3\xbc\xe2\x80\xae");
    wire.out({ seq: 101, ack: 501, data: first });
    wire.out({ seq: 101 + first.length, ack: 501, data: bytes("gr\xfc") });
    const paths = follow(wire, "http").messages.map(({ head }) => head.split(" ")[1]);
    expect(paths).toEqual(["/grü.", "/grü"]);
  });

  it("is known to be in a conversation, whatever comes behind it", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "GET / HTTP/1.1\r\n\r\n" });
    wire.out({ seq: 119, ack: 501, data: "\x16\x03\x01\x00\x02\x01\x00" });
    expect(follow(wire).conversation.hasHttp).toBe(true);
  });

  it("says that something is no HTTP", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "hello" });
    expect(follow(wire, "http").messages[0]?.fault).toContain("not HTTP");
  });
});

it("has nothing of a conversation that is not kept", () => {
  expect(new Wire().analysis.follow(99, "tcp")).toBeNull();
});

/** Hellos of TLS and DTLS that end before their lengths say, in a record that is all there. */

import { expect, test } from "vitest";
import { decode } from "../../src/packet/decode";
import { hex, ipv4, joined, tcp, udp } from "./made";

const RANDOM = "00".repeat(32);
const CLIENT = hex(`0303 ${RANDOM} 00 0002 1301 0100 0007 002b 0003 020304`);
const SERVER = hex(`0303 ${RANDOM} 00 1301 00 0006 002b 0002 0304`);
const DATAGRAM = hex(`fefd ${RANDOM} 00 00 0002 c02b 0100`);

const tls = (type: number, body: Uint8Array) =>
  ipv4(6, tcp(443, [22, 3, 1, 0, 4 + body.length, type, 0, 0, body.length, ...body]));

const dtls = (type: number, body: Uint8Array) => {
  const size = body.length;
  const record = Uint8Array.of(22, 0xfe, 0xfd, ...new Uint8Array(9), 12 + size);
  const head = Uint8Array.of(type, 0, 0, size, 0, 0, 0, 0, 0, 0, 0, size);
  return ipv4(17, udp(4433, joined(record, joined(head, body))));
};

/** Sizes with which a hello is fine. */
function fine(make: (body: Uint8Array) => Uint8Array, body: Uint8Array): number[] {
  const sizes = Array.from({ length: body.length + 1 }, (_, size) => size);
  return sizes.filter((size) => !decode(make(body.subarray(0, size))).malformed);
}

test.each([
  ["a client", (body: Uint8Array) => tls(1, body), CLIENT, [41, 50]],
  ["a server", (body: Uint8Array) => tls(2, body), SERVER, [38, 46]],
  ["a client of DTLS", (body: Uint8Array) => dtls(1, body), DATAGRAM, [42]],
])("a hello of %s may end before its extensions, and nowhere else", (_, make, body, sizes) => {
  expect(fine(make, body)).toEqual(sizes);
});

test("the row says that a hello is malformed, and whose", () => {
  const { info } = decode(tls(2, SERVER.subarray(0, 40)));
  expect(info).toBe("Server Hello [Malformed Packet]");
});

test("a hello that goes on in another segment, or was cut, is not malformed", () => {
  const packet = tls(1, CLIENT);
  expect(decode(packet.subarray(0, 80), packet.length).malformed).toBe(false);
  const half = packet.slice(0, 80);
  half[3] = 80;
  expect(decode(half).malformed).toBe(false);
});

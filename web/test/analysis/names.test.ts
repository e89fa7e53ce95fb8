/** Conversations are called what the table of packets calls their packets. */

import { expect, test } from "vitest";
import { decode } from "../../src/packet/decode";
import { Headers } from "../../src/packet/headers";
import { PACKETS } from "../filter/packets";
import { HOST, ipv4, PEER, udp, Wire } from "./packets";

/** The name of the conversation of a packet, and the protocol of its row. */
function names(packet: Uint8Array): [conversation: string, row: string] {
  const wire = new Wire();
  wire.add(packet);
  const [one] = wire.analysis.conversations();
  return [one?.application ?? "", decode(packet).protocol];
}

test("by their content", () => {
  const headers = new Headers();
  const plain = PACKETS.filter((packet) => {
    headers.read(packet, 0, packet.length, packet.length, false);
    const { upper, fragment, protocol, ip } = headers;
    return upper > 0 && !fragment && ip === 0 && (protocol === 6 || protocol === 17);
  });
  const wrong = plain.filter((packet) => {
    const [conversation, row] = names(packet);
    // A record of a version that does not exist is called TLS, and is shown as data.
    if (conversation === "TLS" && row === "TCP") return packet[42] !== 4;
    return conversation !== (["TCP", "UDP"].includes(row) ? "" : row);
  });
  expect(plain.length).toBeGreaterThan(100);
  expect(wrong.map((packet) => [...names(packet), PACKETS.indexOf(packet) + 1])).toEqual([]);
});

test("not by a port that other things speak at", () => {
  const datagram = ipv4(HOST, PEER, 17, udp(4000, 1900, new TextEncoder().encode("hello")));
  expect(names(datagram)).toEqual(["", "UDP"]);
});

test("by a later packet when the first ones are not known", () => {
  const wire = new Wire();
  wire.add(ipv4(HOST, PEER, 17, udp(4000, 1900, Uint8Array.of(1))));
  wire.add(ipv4(HOST, PEER, 17, udp(4000, 1900, new TextEncoder().encode("NOTIFY * HTTP/1.1"))));
  expect(wire.analysis.conversations()[0]?.application).toBe("SSDP");
});

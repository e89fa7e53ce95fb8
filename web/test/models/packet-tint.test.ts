/** Which packets stand out, and as what. */

import { expect, test } from "vitest";
import { TINTS, tintOf } from "../../src/models/packet-tint";
import { Dissection, Field } from "../../src/packet/dissection";

function packet(...layers: readonly (readonly [name: string, ...fields: [string, unknown][]])[]) {
  const made = new Dissection(new Uint8Array(), 0);
  for (const [name, ...fields] of layers) {
    const layer = new Field(name, name, 0, 0, "", "");
    for (const [field, value] of fields) layer.add(field, field, 0, 0, value as number);
    made.layers.push(layer);
  }
  return made;
}

test.each([
  [packet(["ip"], ["udp"]), "", null],
  [packet(["ip"], ["_ws.malformed"]), "", "malformed"],
  [packet(["ip", ["ip.checksum.status", 0]]), "", "checksum"],
  [packet(["ip", ["ip.checksum.status", 1]], ["udp", ["udp.checksum.status", 2]]), "", null],
  [packet(["tcp", ["tcp.flags.reset", true]]), "", "reset"],
  [packet(["tcp", ["tcp.flags.reset", true], ["tcp.checksum.status", 0]]), "", "checksum"],
  [packet(["icmp", ["icmp.type", 3]], ["ip"], ["tcp", ["tcp.flags.reset", true]]), "", "icmp"],
  [packet(["icmp", ["icmp.type", 8]]), "", null],
  [packet(["icmpv6", ["icmpv6.type", 1]]), "", "icmp"],
  [packet(["icmpv6", ["icmpv6.type", 135]]), "", null],
  [packet(["dns", ["dns.flags.rcode", 3]]), "", "dns"],
  [packet(["dns", ["dns.flags.rcode", 0]]), "", null],
  [packet(["tcp"]), "[TCP Retransmission] ", "sequence"],
  [packet(["tcp"]), "[TCP Window Update] ", null],
  [packet(["tcp"]), "[TCP Keep-Alive ACK] ", null],
  [packet(["tcp"]), "[TCP Keep-Alive] [TCP ZeroWindow] ", "sequence"],
])("packet %#", (decoded, prefix, tint) => {
  expect(tintOf(decoded, prefix)).toBe(tint);
});

test("each has a sign of its own, so that colour is not all that tells", () => {
  expect(new Set(TINTS.map(({ sign }) => sign)).size).toBe(TINTS.length);
});

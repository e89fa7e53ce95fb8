/** What a menu on a field writes into the filter. */

import { expect, test } from "vitest";
import { joined, termOf } from "../../src/models/filter-terms";

test.each([
  [{ name: "tcp.port", value: 443 }, "tcp.port == 443"],
  [{ name: "ip.src", value: "10.6.7.7" }, "ip.src == 10.6.7.7"],
  [{ name: "ipv6.dst", value: "fd06::1" }, "ipv6.dst == fd06::1"],
  [{ name: "dns.qry.name", value: "example.com" }, 'dns.qry.name == "example.com"'],
  [{ name: "http.host", value: 'a"b\\c' }, 'http.host == "a\\"b\\\\c"'],
  [{ name: "tcp.flags.syn", value: true }, "tcp.flags.syn == 1"],
  [{ name: "tcp.flags.syn", value: false }, "tcp.flags.syn == 0"],
  [{ name: "tcp.analysis.retransmission", value: true }, "tcp.analysis.retransmission"],
  [{ name: "tcp", value: "" }, "tcp"],
])("the term of %o", (field, term) => {
  expect(termOf(field)).toBe(term);
});

test.each([
  ["", "and", "udp", "udp"],
  ["", "and not", "udp", "not udp"],
  ["tcp", "only", "udp", "udp"],
  ["tcp", "not", "udp", "not udp"],
  ["ip", "and", "udp", "ip and udp"],
  ["ip", "or not", "udp", "ip or not udp"],
  ["tcp or udp", "and", "ip", "(tcp or udp) and ip"],
  ["tcp", "and not", "not tcp.flags.syn", "tcp and tcp.flags.syn"],
  ["tcp", "and not", "udp or icmp", "tcp and not (udp or icmp)"],
] as const)("%j with %s %j", (filter, joint, term, whole) => {
  expect(joined(filter, joint, term)).toBe(whole);
});

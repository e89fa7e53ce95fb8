/** What packets say of each other, where tests/packet/test_analysis.py has no traffic for it. */

import { describe, expect, it } from "vitest";
import { joined } from "../packet/made";
import { ACK, FIN, HOST, ipv4, PEER, PSH, RST, SYN, tcp, udp, Wire } from "./packets";

function question(id: number, answer = false): Uint8Array {
  return Uint8Array.of(
    id >> 8,
    id,
    answer ? 0x81 : 1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    97,
    0,
    0,
    1,
    0,
    1,
  );
}

describe("streams", () => {
  it("counts connections in the order in which they come", () => {
    const wire = new Wire();
    const first = wire.add(ipv4(HOST, PEER, 6, tcp(1, 2, { flags: SYN })));
    const second = wire.add(ipv4(HOST, PEER, 6, tcp(3, 2, { flags: SYN })));
    const back = wire.add(ipv4(PEER, HOST, 6, tcp(2, 1, { flags: SYN | ACK })));
    expect([first, second, back].map((row) => wire.told(row)["tcp.stream"])).toEqual([0, 1, 0]);
  });

  it("counts those of UDP apart", () => {
    const wire = new Wire();
    wire.out({ flags: SYN });
    const row = wire.add(ipv4(HOST, PEER, 17, udp(1, 2, Uint8Array.of(1))));
    expect(wire.told(row)["udp.stream"]).toBe(0);
  });

  it("are told where 16 bytes of a TCP header are there, as by Wireshark", () => {
    const wire = new Wire();
    const packet = (port: number) => ipv4(HOST, PEER, 6, tcp(port, 80, { flags: SYN }));
    const cut = wire.add(packet(1), { captured: 35 });
    const first = wire.add(packet(2), { captured: 36 });
    const whole = wire.add(packet(1));
    const again = wire.add(packet(1), { captured: 25 });
    const streams = [cut, first, whole, again].map((row) => wire.told(row)["tcp.stream"]);
    expect(streams).toEqual([undefined, 0, 1, undefined]);
    expect(wire.told(first)["tcp.time_relative"]).toBeUndefined();
  });

  it("does not count a header that an error quotes, and says whose it is", () => {
    const wire = new Wire();
    const quote = (port: number) => {
      const icmp = new Uint8Array(8 + 28);
      icmp[0] = 3;
      icmp.set(ipv4(HOST, PEER, 6, tcp(port, 80, { flags: SYN })).subarray(0, 28), 8);
      return ipv4("10.0.0.9", HOST, 1, icmp);
    };
    const unknown = wire.add(quote(999));
    const own = wire.out({ flags: SYN });
    const known = wire.add(quote(1000));
    expect(wire.told(unknown)["tcp.stream"]).toBeUndefined();
    expect(wire.told(own)["tcp.stream"]).toBe(0);
    expect(wire.told(known)["tcp.stream"]).toBe(0);
  });

  it("takes the innermost packet of a tunnel", () => {
    const wire = new Wire();
    const row = wire.add(
      ipv4("1.1.1.1", "2.2.2.2", 4, ipv4(HOST, PEER, 6, tcp(7, 8, { flags: SYN }))),
    );
    expect(wire.told(row)["tcp.stream"]).toBe(0);
    expect(wire.analysis.conversations()[0]).toMatchObject({ source: HOST, destinationPort: 8 });
  });

  it("begins anew where ports are used again", () => {
    const wire = new Wire();
    wire.shake();
    const again = wire.out({ seq: 9000, flags: SYN });
    expect(wire.told(again)).toMatchObject({ "tcp.stream": 1, "tcp.analysis.reused_ports": true });
    expect(wire.analysis.prefixOf(again)).toBe("[TCP Port numbers reused] ");
    expect(wire.analysis.conversations()).toHaveLength(2);
  });

  it("has no stream for half a header", () => {
    const wire = new Wire();
    const row = wire.add(ipv4(HOST, PEER, 6, tcp(1, 2, {}).subarray(0, 12)));
    expect(wire.told(row)["tcp.stream"]).toBeUndefined();
  });

  it("joins later fragments to the ports of the first", () => {
    const wire = new Wire();
    const first = ipv4(HOST, PEER, 17, udp(5, 6, new Uint8Array(16)));
    const second = ipv4(HOST, PEER, 17, new Uint8Array(8));
    first[6] = 0x20;
    second[7] = 3;
    wire.add(first);
    wire.add(second);
    expect(wire.analysis.conversations()).toMatchObject([{ sourcePort: 5, packets: [2, 0] }]);
  });
});

describe("sequence numbers", () => {
  it("are relative to the first of each side", () => {
    const wire = new Wire();
    wire.shake();
    const row = wire.out({ seq: 101, ack: 501, flags: PSH | ACK, data: "hello" });
    expect(wire.told(row)).toMatchObject({ "tcp.seq": 1, "tcp.ack": 1, "tcp.nxtseq": 6 });
  });

  it("go on over their end", () => {
    const wire = new Wire();
    wire.out({ seq: 0xffffffff, flags: SYN });
    wire.back({ seq: 1, ack: 0, flags: SYN | ACK });
    const first = wire.out({ seq: 0, ack: 2, flags: PSH | ACK, data: "abc" });
    const again = wire.out({ seq: 0, ack: 2, flags: PSH | ACK, data: "abc" });
    expect(wire.told(first)).toMatchObject({ "tcp.seq": 1, "tcp.analysis.bytes_in_flight": 3 });
    expect(wire.told(again)["tcp.analysis.retransmission"]).toBe(true);
  });

  it("count what was sent, not what was captured of it", () => {
    const wire = new Wire();
    wire.shake();
    const packet = ipv4(
      HOST,
      PEER,
      6,
      tcp(1000, 80, { seq: 101, ack: 501, data: "x".repeat(500) }),
    );
    const row = wire.add(packet, { captured: 60 });
    const next = wire.out({ seq: 601, ack: 501, data: "y" });
    expect(wire.told(row)["tcp.nxtseq"]).toBe(501);
    expect(wire.told(next)["tcp.analysis.flags"]).toBeUndefined();
  });

  it("tell what an acknowledgement is for, and how long it took", () => {
    const wire = new Wire();
    wire.shake();
    const sent = wire.out({ seq: 101, ack: 501, data: "abc" });
    const row = wire.back({ seq: 501, ack: 104 });
    expect(wire.told(row)["tcp.analysis.acks_frame"]).toBe(sent + 1);
    expect(wire.told(row)["tcp.analysis.ack_rtt"]).toBeCloseTo(0.001);
  });

  it("use the numbers of the table", () => {
    const wire = new Wire();
    wire.shake();
    wire.analysis.base = 1;
    expect(wire.told(2)["tcp.analysis.acks_frame"]).toBe(1);
  });
});

describe("questions", () => {
  const ask = (wire: Wire, id: number) =>
    wire.add(ipv4(HOST, PEER, 17, udp(5000, 53, question(id))));
  const tell = (wire: Wire, id: number) =>
    wire.add(ipv4(PEER, HOST, 17, udp(53, 5000, question(id, true))));

  it("are joined to their answers", () => {
    const wire = new Wire();
    const asked = ask(wire, 7);
    const other = ask(wire, 8);
    const told = tell(wire, 7);
    expect(wire.told(asked)["dns.response_in"]).toBe(told + 1);
    expect(wire.told(other)["dns.response_in"]).toBeUndefined();
    expect(wire.told(told)).toMatchObject({ "dns.response_to": asked + 1 });
    expect(wire.told(told)["dns.time"]).toBeCloseTo(0.002);
  });

  it("of HTTP pass over what comes before the final answer", () => {
    const wire = new Wire();
    wire.shake();
    const asked = wire.out({ seq: 101, ack: 501, data: "GET / HTTP/1.1\r\n\r\n" });
    wire.back({ seq: 501, ack: 119, data: "HTTP/1.1 100 Continue\r\n\r\n" });
    const told = wire.back({ seq: 526, ack: 119, data: "HTTP/1.1 200 OK\r\n\r\n" });
    expect(wire.told(asked)["http.response_in"]).toBe(told + 1);
    expect(wire.told(told)["http.request_in"]).toBe(asked + 1);
  });
});

describe("records of TLS", () => {
  const record = (size: number) => {
    const bytes = new Uint8Array(5 + size);
    bytes.set([23, 3, 3, size >> 8, size & 0xff]);
    return bytes;
  };

  it("are seen where they begin and where they end", () => {
    const wire = new Wire();
    wire.shake();
    const bytes = record(30);
    const rows = [0, 10, 20, 30].map((at) =>
      wire.out({ seq: 101 + at, ack: 501, data: bytes.subarray(at, at + 10) }),
    );
    expect(rows.map((row) => wire.told(row)["tls"])).toEqual([true, undefined, undefined, true]);
  });

  /** Send bytes in segments of a size; return their rows. */
  const send = (wire: Wire, bytes: Uint8Array, size: number): number[] => {
    wire.shake();
    const rows: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      rows.push(wire.out({ seq: 101 + at, ack: 501, data: bytes.subarray(at, at + size) }));
    }
    return rows;
  };

  it("tell where the first one begins that is not the rest of an earlier one", () => {
    const wire = new Wire();
    const rows = send(wire, joined(record(30), record(3)), 20);
    expect(rows.map((row) => wire.analysis.beginsOf(row))).toEqual([0, 15, 0xffff]);
  });

  it("are known when their header is in two segments", () => {
    const wire = new Wire();
    const rows = send(wire, joined(record(14), joined(record(30), record(2))), 20);
    expect(rows.map((row) => wire.analysis.beginsOf(row))).toEqual([0, 0xffff, 14, 0xffff]);
  });

  it("are put together again where they end", () => {
    const wire = new Wire();
    const hello = new Uint8Array(35);
    hello.set([22, 3, 3, 0, 30, 2, 0, 0, 26, 3, 3]);
    const rows = send(wire, joined(hello, record(1)), 10);
    const types = rows.map((row) => {
      const handshakes = wire.analysis.recordOf(row)[0]?.fields[0]?.fields.at(-1);
      return handshakes?.fields.find(({ name }) => name === "tls.handshake.type")?.value;
    });
    expect(types).toEqual([undefined, undefined, undefined, 2, undefined]);
  });
});

describe("messages of HTTP", () => {
  const GET = "GET / HTTP/1.1\r\n\r\n";

  it("that share a segment are each joined with their answer", () => {
    const wire = new Wire();
    wire.shake();
    const asked = wire.out({ seq: 101, ack: 501, data: GET + GET });
    const one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    const first = wire.back({ seq: 501, ack: 137, data: `${one}he` });
    const second = wire.back({ seq: 541, ack: 137, data: `llo${one}hello` });
    const of = (row: number, name: string) =>
      wire.analysis
        .fieldsOf(row)
        .filter((field) => field.name === name)
        .map(({ value }) => value);
    expect(of(asked, "http.response_in")).toEqual([first + 1, second + 1]);
    expect(of(second, "http.request_in")).toEqual([asked + 1]);
    expect(wire.analysis.beginsOf(second)).toBe(3);
  });

  it("are not looked for in a body", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "PUT / HTTP/1.1\r\nContent-Length: 20\r\n\r\n" });
    const body = wire.out({ seq: 139, ack: 501, data: GET });
    expect(wire.analysis.beginsOf(body)).toBe(0xffff);
    expect(wire.told(body)["http.response_in"]).toBeUndefined();
  });

  it("go on behind an answer to HEAD, which has no body", () => {
    const wire = new Wire();
    wire.shake();
    wire.out({ seq: 101, ack: 501, data: "HEAD / HTTP/1.1\r\n\r\n" });
    wire.back({ seq: 501, ack: 120, data: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" });
    const asked = wire.out({ seq: 120, ack: 541, data: GET });
    const told = wire.back({ seq: 541, ack: 138, data: "HTTP/1.1 204 No Content\r\n\r\n" });
    expect(wire.told(told)["http.request_in"]).toBe(asked + 1);
  });

  it("are no longer known of rows that are dropped", () => {
    const wire = new Wire(10, 4);
    wire.shake();
    const data = "HTTP/1.1 204 No Content\r\n\r\n".repeat(2);
    wire.out({ seq: 101, ack: 501, data: GET + GET });
    wire.back({ seq: 501, ack: 137, data });
    for (let i = 0; i < 9; i++) wire.out({ seq: 137 + i, ack: 501, data: "x" });
    expect(wire.analysis.rows.more.size).toBe(0);
  });
});

describe("bounds", () => {
  it("lets the conversation that was silent longest go, and counts it", () => {
    const wire = new Wire(2);
    for (const port of [1, 2, 1, 3]) wire.add(ipv4(HOST, PEER, 17, udp(port, 9, Uint8Array.of(1))));
    expect(wire.analysis.conversations().map(({ sourcePort }) => sourcePort)).toEqual([1, 3]);
    expect(wire.analysis.lost.conversations).toBe(1);
  });

  it("keeps no more rows than it may", () => {
    const wire = new Wire(10, 4);
    for (let i = 0; i < 10; i++) wire.out({ seq: 100 + i, data: "x" });
    expect(wire.analysis.fieldsOf(5)).toEqual([]);
    expect(wire.told(6)["tcp.stream"]).toBe(0);
  });

  it("forgets rows that are dropped, and keeps their conversation", () => {
    const wire = new Wire();
    wire.shake();
    wire.analysis.drop(3);
    expect(wire.analysis.fieldsOf(0)).toEqual([]);
    expect(wire.analysis.conversations()).toHaveLength(1);
  });

  it("says nothing of rows that are losses", () => {
    const wire = new Wire();
    wire.shake();
    wire.row += 5;
    const row = wire.out({ seq: 101, ack: 501, data: "x" });
    expect(wire.analysis.fieldsOf(row - 1)).toEqual([]);
    expect(wire.analysis.prefixOf(row - 1)).toBe("");
    expect(wire.told(row)["tcp.seq"]).toBe(1);
  });

  it("counts what it is told to be missing", () => {
    const wire = new Wire();
    wire.analysis.lose(12);
    expect(wire.analysis.lost.packets).toBe(12);
  });

  it("forgets everything", () => {
    const wire = new Wire();
    wire.shake();
    wire.analysis.clear();
    expect(wire.analysis.conversations()).toEqual([]);
    const row = wire.out({ seq: 100, flags: SYN });
    expect(wire.told(row)["tcp.stream"]).toBe(0);
  });
});

it("takes whatever bytes come", () => {
  const wire = new Wire(16, 256);
  const segment = { seq: 1, ack: 1, flags: PSH | ACK, data: "GET / HTTP/1.1\r\n\r\n" };
  const samples = [
    ipv4(HOST, PEER, 6, tcp(1, 80, segment)),
    ipv4(PEER, HOST, 6, tcp(80, 1, { ...segment, data: Uint8Array.of(22, 3, 1, 0, 9, 1) })),
    ipv4(HOST, PEER, 17, udp(1, 53, question(1))),
    ipv4(HOST, PEER, 1, Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 9)),
  ];
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < 20_000; i++) {
    const packet = (samples[random(samples.length)] as Uint8Array).slice();
    for (let n = random(4); n > 0; n--) packet[random(packet.length)] = random(256);
    const row = wire.add(packet.subarray(0, 1 + random(packet.length)), { injected: i % 2 === 0 });
    wire.analysis.prefixOf(row);
    for (const { value } of wire.analysis.fieldsOf(row)) expect(value).not.toBeNaN();
    if (i % 500 === 0) wire.analysis.follow(wire.analysis.conversationOf(row), "http");
  }
  expect(wire.analysis.conversations()).toHaveLength(16);
});

describe("conversations", () => {
  const state = (wire: Wire) => wire.analysis.conversations()[0]?.state;

  it("are counted by who opened them and by direction", () => {
    const wire = new Wire();
    wire.shake();
    expect(wire.analysis.conversations()[0]).toMatchObject({
      source: HOST,
      sourcePort: 1000,
      destination: PEER,
      destinationPort: 80,
      fromHost: true,
      packets: [2, 1],
      hostPackets: [2, 1],
      hostBytes: [80, 40],
      rttNs: 2_000_000,
    });
  });

  it("belong to the end that sent SYN, also when that was not seen", () => {
    const wire = new Wire();
    wire.back({ seq: 500, ack: 101, flags: SYN | ACK });
    expect(wire.analysis.conversations()[0]).toMatchObject({ source: HOST, packets: [0, 1] });
  });

  it("go from one state to the next", () => {
    const wire = new Wire();
    wire.out({ seq: 100, flags: SYN });
    expect(state(wire)).toBe("opening");
    wire.back({ seq: 500, ack: 101, flags: SYN | ACK });
    expect(state(wire)).toBe("established");
    wire.out({ seq: 101, ack: 501, flags: FIN | ACK });
    expect(state(wire)).toBe("closing");
    wire.back({ seq: 501, ack: 102, flags: FIN | ACK });
    expect(state(wire)).toBe("closed");
  });

  it("are refused or reset", () => {
    const refused = new Wire();
    refused.out({ seq: 100, flags: SYN });
    refused.back({ seq: 0, ack: 101, flags: RST | ACK });
    expect(state(refused)).toBe("refused");
    const reset = new Wire();
    reset.shake();
    reset.back({ seq: 501, flags: RST });
    expect(state(reset)).toBe("reset");
  });

  it("are told again only when they changed", () => {
    const wire = new Wire();
    wire.add(ipv4(HOST, PEER, 17, udp(1, 2, Uint8Array.of(1))));
    const told = wire.analysis.version;
    wire.add(ipv4(HOST, PEER, 17, udp(3, 4, Uint8Array.of(1))));
    expect(wire.analysis.conversations(told).map(({ sourcePort }) => sourcePort)).toEqual([3]);
  });
});

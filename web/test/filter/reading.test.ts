/** What is read without decoding is what the decoder would say. */

import { describe, expect, it } from "vitest";
import { FIELDS, type FilterField } from "../../src/filter/fields";
import { compileFilter } from "../../src/filter/parser";
import { operandOf, type Raw } from "../../src/filter/reading";
import { PacketSubject } from "../../src/filter/subject";
import type { Field } from "../../src/packet/dissection";
import { Headers } from "../../src/packet/headers";
import { eachPacket, PACKETS } from "./packets";

/** Values of the decoder's fields of a name, where those are numbers. */
function decoded(fields: readonly Field[], names: readonly string[]): number[] {
  return fields.flatMap((field) => [
    ...(names.includes(field.name) && typeof field.value !== "string" ? [Number(field.value)] : []),
    ...decoded(field.fields, names),
  ]);
}

function read(field: FilterField, subject: PacketSubject): Raw[] {
  const found: Raw[] = [];
  operandOf(field).each(subject, (raw) => {
    found.push(raw);
    return false;
  });
  return found;
}

const OWN = /^(?:frame\b|_ws|len$|proto$|port$|received|injected|cut|fragment)/;

describe("of every field in every packet of the corpus", () => {
  it("the numbers are the decoder's", () => {
    const numbers = [...FIELDS.values()].filter(
      ({ name, kind, noted }) =>
        !noted && !OWN.test(name) && (kind === "number" || kind === "boolean"),
    );
    const wrong = new Set<string>();
    eachPacket((subject, row) => {
      for (const field of numbers) {
        const expected = decoded(subject.dissection.layers, field.parts);
        const found = read(field, subject).map(Number);
        if (JSON.stringify(found.sort()) !== JSON.stringify(expected.sort())) {
          wrong.add(`${field.name} in ${row + 1}: ${found} instead of ${expected}`);
        }
      }
    });
    expect([...wrong].slice(0, 5)).toEqual([]);
  });

  it("the bytes are those that the decoder's layers have", () => {
    const wrong = new Set<string>();
    const names = ["tcp", "udp", "icmp", "icmpv6", "tcp.payload", "udp.payload"];
    eachPacket((subject, row) => {
      const { layers, bytes } = subject.dissection;
      for (const name of names) {
        const found = read(FIELDS.get(name) as FilterField, subject) as Uint8Array[];
        const [protocol = "", payload] = name.split(".");
        const expected = layers.flatMap((layer, at) => {
          if (layer.name !== protocol) return [];
          const end = Math.max(...layers.slice(at).map((one) => one.end));
          const start = payload ? layer.end : layer.start;
          return payload && start === end ? [] : [bytes.slice(start, end)];
        });
        if (JSON.stringify(found.map(String)) !== JSON.stringify(expected.map(String))) {
          wrong.add(`${name} in ${row + 1}`);
        }
      }
    });
    expect([...wrong].slice(0, 9)).toEqual([]);
  });

  it("a protocol is found where the decoder has its layer", () => {
    const protocols = [...FIELDS.values()].filter(
      ({ kind, name }) => kind === "protocol" && name !== "frame" && name !== "tls",
    );
    const filters = protocols.map(({ name }) => ({ name, filter: compileFilter(name) }));
    const wrong: string[] = [];
    eachPacket((subject, row) => {
      for (const { name, filter } of filters) {
        const has = subject.dissection.layers.some((layer) => layer.name === name);
        if (filter?.test(subject) !== has) wrong.push(`${name} in ${row + 1}`);
      }
    });
    expect(wrong).toEqual([]);
  });

  it("a cut packet is read like a whole one that ends there", () => {
    const ports = FIELDS.get("port") as FilterField;
    const subject = new PacketSubject({
      timeNs: () => 0n,
      previousNs: () => 0n,
      originNs: () => 0n,
      notes: () => [],
      record: () => [],
      begins: () => 0,
    });
    for (const packet of PACKETS.slice(0, 150)) {
      for (const end of [0, 1, 19, 24, 41, 60]) {
        const cut = packet.subarray(0, end);
        subject.headers.read(cut, 0, cut.length, packet.length, false);
        subject.point(0, 1);
        const expected = decoded(subject.dissection.layers, ports.parts);
        expect(read(ports, subject).map(Number)).toEqual(expected);
      }
    }
  });
});

describe("a filter that decodes", () => {
  /** A subject that counts how often it is decoded. */
  function counted(packets: readonly Uint8Array[], filter: string): number {
    let count = 0;
    const test = compileFilter(filter);
    for (const packet of packets) {
      const headers = new Headers();
      headers.read(packet, 0, packet.length, packet.length, false);
      const subject = new PacketSubject({
        timeNs: () => 0n,
        previousNs: () => 0n,
        originNs: () => 0n,
        notes: () => [],
        record: () => [],
        begins: () => 0,
      });
      Object.assign(subject.headers, headers);
      const proxy = new Proxy(subject, {
        get: (of, name) => {
          if (name === "dissection") count++;
          return Reflect.get(of, name, of);
        },
      });
      test?.test(proxy);
    }
    return count;
  }

  it("leaves out packets in which its protocol cannot be", () => {
    const plain = PACKETS.filter((packet) => packet[0] === 0x45 && packet[9] === 6);
    expect(counted(plain, 'dns.qry.name contains "x" and udp')).toBeLessThan(5);
    expect(counted(plain, "udp.checksum.status == 1 or icmp.checksum.status == 0")).toBeLessThan(5);
  });

  it("asks what is cheap first, wherever it stands", () => {
    const plain = PACKETS.filter((packet) => packet[0] === 0x45 && packet[9] === 17);
    expect(counted(plain, '"nowhere" and tcp and port 1')).toBeLessThan(plain.length / 4);
  });
});

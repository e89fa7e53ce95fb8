/** Packets put together from bytes; their checksums are 0. */

export function joined(head: Uint8Array, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + data.length);
  whole.set(head);
  whole.set(data, head.length);
  return whole;
}

/** An IPv4 packet from 10.0.0.1 to 10.0.0.2. */
export function ipv4(protocol: number, data: Uint8Array): Uint8Array {
  const size = 20 + data.length;
  const head = [0x45, 0, size >> 8, size & 0xff, 0, 0, 0, 0, 64, protocol, 0, 0];
  return joined(Uint8Array.of(...head, 10, 0, 0, 1, 10, 0, 0, 2), data);
}

/** An IPv6 packet from :: to ::. */
export function ipv6(following: number, data: Uint8Array): Uint8Array {
  const head = [0x60, 0, 0, 0, data.length >> 8, data.length & 0xff, following, 64];
  return joined(Uint8Array.of(...head, ...new Uint8Array(32)), data);
}

export function udp(port: number, data: Uint8Array): Uint8Array {
  const size = 8 + data.length;
  return Uint8Array.of(0, 7, port >> 8, port & 0xff, size >> 8, size & 0xff, 0, 0, ...data);
}

/** A TCP segment from port 1 with what it carries. */
export function tcp(port: number, data: Uint8Array | readonly number[]): Uint8Array {
  return Uint8Array.of(
    0,
    1,
    port >> 8,
    port & 255,
    0,
    0,
    0,
    5,
    0,
    0,
    0,
    6,
    0x50,
    0x18,
    1,
    0,
    0,
    0,
    0,
    0,
    ...data,
  );
}

export const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** The octets of groups of hexadecimal digits. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
}

/** Build a DNS query (RFC 1035). */

/** Types of records by the number that asks for them. */
export const QUERY_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  HTTPS: 65,
  ANY: 255,
};

const HEADER = 12;
const MAX_LABEL = 63;
const MAX_NAME = 255;

/** Return the message that asks for one name, recursively. Throws RangeError. */
export function dnsQuery(id: number, name: string, type: number): Uint8Array {
  const labels = name
    .replace(/\.$/, "")
    .split(".")
    .map((label) => new TextEncoder().encode(label));
  if (labels.length === 1 && labels[0]?.length === 0) labels.pop();
  if (labels.some(({ length }) => length === 0 || length > MAX_LABEL)) {
    throw new RangeError(`Each part of a name has 1 to ${MAX_LABEL} bytes.`);
  }
  const length = labels.reduce((sum, label) => sum + label.length + 1, 1);
  if (length > MAX_NAME) throw new RangeError(`A name has at most ${MAX_NAME} bytes.`);
  const message = new Uint8Array(HEADER + length + 4);
  const view = new DataView(message.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x0100);
  view.setUint16(4, 1);
  let at = HEADER;
  for (const label of labels) {
    message[at] = label.length;
    message.set(label, at + 1);
    at += label.length + 1;
  }
  view.setUint16(at + 1, type);
  view.setUint16(at + 3, 1);
  return message;
}

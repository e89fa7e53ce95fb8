/**
 * What the decoder says of packets, for the tests in Python: reads lines of hexadecimal bytes,
 * writes a line of JSON for each. The first argument is the decoder as one module.
 */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { decode } = await import(pathToFileURL(process.argv[2]).href);

function plain(value) {
  return typeof value === "boolean" ? String(Number(value)) : String(value);
}

for await (const line of createInterface({ input: process.stdin })) {
  const decoded = decode(Uint8Array.from(Buffer.from(line, "hex")));
  const fields = {};
  const walk = (field) => {
    if (field.fields.length === 0 || field.value !== "") {
      if (field.name.includes(".")) (fields[field.name] ??= []).push(plain(field.value));
    }
    field.fields.forEach(walk);
  };
  for (const layer of decoded.layers) layer.fields.forEach(walk);
  const { source, destination, protocol, info, malformed } = decoded;
  const layers = decoded.layers.map(({ name }) => name);
  process.stdout.write(
    `${JSON.stringify({ fields, layers, source, destination, protocol, info, malformed })}\n`,
  );
}

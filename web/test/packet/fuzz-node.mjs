/**
 * Many broken packets, for the tests in Python: reads lines of hexadecimal bytes. The arguments are
 * fuzz.ts as one module, and how many packets to break.
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { fuzz } = await import(pathToFileURL(process.argv[2]).href);
const lines = readFileSync(0, "utf8").trim().split("\n");
const packets = lines.map((line) => Uint8Array.from(Buffer.from(line, "hex")));
const count = Number(process.argv[3]);
const wrong = fuzz(packets, count, 7);
process.stdout.write(`${wrong.join("\n") || `${count} packets`}\n`);

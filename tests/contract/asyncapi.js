// Read an AsyncAPI document with AsyncAPI's own parser; 1 when it has an error or a warning.
import { readFileSync } from "node:fs";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { code, path, message } of diagnostics) {
  console.log(`${code} at ${path.join(".")}: ${message}`);
}
const bad = diagnostics.some(({ severity }) => severity <= 1);
if (bad || document === undefined) {
  process.exit(1);
}
console.log(`${document.version()}: ${document.operations().all().length} operations`);

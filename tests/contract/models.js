// Print the names of the models that AsyncAPI's generator makes of a document, one a line.
import { readFileSync } from "node:fs";
import { TypeScriptGenerator } from "@asyncapi/modelina";

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const { modelName } of await new TypeScriptGenerator().generate(document)) {
  console.log(modelName);
}

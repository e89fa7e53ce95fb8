// Compare OpenAPI documents by Optic's rules for breaking changes: `node compatible.js OLD NEW...`
// prints for each NEW a JSON array of the changes that break clients of OLD. The rules are used as a
// library, because Optic's own program has accounts and telemetry.
import { denormalize, parseOpenAPIWithSourcemap } from "@useoptic/openapi-io";
import { compareSpecs } from "@useoptic/openapi-utilities";
import { RuleRunner } from "@useoptic/rulesets-base";
import { BreakingChangesRuleset } from "@useoptic/standard-rulesets";

// Optic compares alternatives as a whole, and so takes an addition to one of them for a break. Those
// of the documents are all an object or null, which is one type.
const one = (node) => {
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map(one);
  const { oneOf, ...rest } = node;
  const value = oneOf?.find(({ type }) => type !== "null");
  if (oneOf?.length === 2 && oneOf.some(({ type }) => type === "null"))
    return one({ ...value, ...rest, type: [value.type, "null"] });
  return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, one(member)]));
};
const read = async (path) => {
  const read = denormalize(await parseOpenAPIWithSourcemap(path));
  return { ...read, jsonLike: one(read.jsonLike) };
};
const at = (document, pointer) =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((node, part) => node?.[part], document);

const [old, ...others] = process.argv.slice(2);
const before = await read(old);
for (const other of others) {
  const runner = new RuleRunner([new BreakingChangesRuleset()]);
  const { results } = await compareSpecs(before, await read(other), runner, {});
  const broken = results
    .filter(({ passed }) => !passed)
    .map(({ where, error, location }) => ({ where, error, pointer: location.jsonPath }))
    // The document says of these sets that they may get new values.
    .filter(
      ({ error, pointer }) =>
        !(/cannot add enum option/.test(error) && at(before.jsonLike, pointer)?.["x-extensible-enum"]),
    );
  console.log(JSON.stringify(broken));
}

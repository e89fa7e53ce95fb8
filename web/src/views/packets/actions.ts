/** What can be done with a field or a value: filter by it, show it as a column, copy it. */

import { type Joint, termOf } from "../../models/filter-terms";
import type { NoticesModel } from "../../models/notices";
import type { PacketTools } from "../../models/packet-tools";
import type { Field } from "../../packet/dissection";
import { copyText } from "../ui/clipboard";
import type { MenuItem } from "../ui/Menu";

const JOINTS: readonly (readonly [joint: Joint, label: string])[] = [
  ["only", "Show only this"],
  ["not", "Hide this"],
  ["and", "And this"],
  ["or", "Or this"],
  ["and not", "And not this"],
  ["or not", "Or not this"],
];

/** Return what can be done with a term of a filter. */
export function filterItems(tools: PacketTools, term: string): MenuItem[] {
  const isEmpty = tools.table.filterText.peek().trim() === "";
  return JOINTS.map(([joint, label], index) => ({
    label,
    hint: index === 0 ? term : undefined,
    // There is nothing yet that it could be put to.
    disabled: isEmpty && index > 1,
    apart: index === 2,
    onChoose: () => tools.filter(joint, term),
  }));
}

/** Return what can be done with a field. */
export function fieldItems(tools: PacketTools, notices: NoticesModel, field: Field): MenuItem[] {
  const value = field.text || String(field.value) || field.label;
  const copy = (label: string, text: string, what: string): MenuItem => ({
    label,
    onChoose: () => void copyAndSay(notices, text, what),
  });
  if (field.name === "") return [copy("Copy value", value, "Value")];
  const term = termOf(field);
  return [
    ...filterItems(tools, term),
    {
      label: "Add as a column",
      hint: field.name,
      apart: true,
      onChoose: () => {
        const why = tools.layout.add(field.name, field.label);
        notices.say(why || `The column ${field.label} was added.`);
      },
    },
    { ...copy("Copy value", value, "Value"), apart: true },
    copy("Copy as filter", term, "Filter"),
    copy("Copy field name", field.name, "Field name"),
  ];
}

/** Copy a text, and say what was copied or that the browser does not allow it. */
export async function copyAndSay(notices: NoticesModel, text: string, what: string): Promise<void> {
  const copied = await copyText(text);
  notices.say(copied ? `${what} copied.` : "The browser did not allow copying.");
}

/** What is different about an adapter, in words: "MTU 1420 → 1300". */

import type { Adapter } from "../api/types";
import { routeLine } from "./rules";
import { plainName } from "./visible";

/** Return one text for each difference; none when nothing that a person reads is different. */
export function changesOf(before: Adapter, after: Adapter): readonly string[] {
  return [
    ...value("name", before.name, after.name),
    ...(before.interface_name === after.interface_name
      ? []
      : [
          `interface renamed ${plainName(before.interface_name)} → ${plainName(after.interface_name)}`,
        ]),
    ...value("state", before.state, after.state),
    ...value("link", linkText(before), linkText(after)),
    ...value("MTU", before.mtu, after.mtu),
    ...value("metric", before.metric ?? "automatic", after.metric ?? "automatic"),
    ...entries("address", before.addresses, after.addresses),
    ...entries("route", before.routes.map(routeLine), after.routes.map(routeLine)),
    ...otherRoutes(before, after),
    ...entries("DNS server", before.dns, after.dns),
    ...entries("search domain", before.dns_search, after.dns_search),
    ...(before.managed === after.managed ? [] : [after.managed ? "opened" : "released"]),
  ];
}

/** Entries of one list that are told one by one; of more, how many. */
const TOLD = 3;

function value(what: string, before: unknown, after: unknown): string[] {
  return before === after ? [] : [`${what} ${before ?? "unknown"} → ${after ?? "unknown"}`];
}

function linkText({ link_up: link }: Adapter): string {
  return link === null ? "unknown" : link ? "up" : "down";
}

/** Routes of other programs; of more than are listed only the number is known. */
function otherRoutes(before: Adapter, after: Adapter): string[] {
  const told = entries(
    "route",
    before.other_routes.map(routeLine),
    after.other_routes.map(routeLine),
  ).map((one) => `${one} by another program`);
  const [was, is] = [before.other_routes_total, after.other_routes_total];
  return told.length > 0 ? told : value("routes of other programs", was, is);
}

function entries(what: string, before: readonly string[], after: readonly string[]): string[] {
  const told = (found: readonly string[], verb: string) =>
    found.length > TOLD
      ? [`${found.length} ${what}${what.endsWith("s") ? "es" : "s"} ${verb}`]
      : found.map((one) => `${what} ${one} ${verb}`);
  return [
    ...told(
      before.filter((one) => !after.includes(one)),
      "removed",
    ),
    ...told(
      after.filter((one) => !before.includes(one)),
      "added",
    ),
  ];
}

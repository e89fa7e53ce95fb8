/** The form of an adapter: texts as they are typed, what is wrong with them, and the request. */

import { computed, signal } from "@preact/signals";
import type { Adapter, AdapterCreate, AdapterUpdate, Problem, Route } from "../api/types";
import { Attempt } from "./attempt";
import { wholeOf } from "./numbers";
import * as rules from "./rules";

export const FIELDS = [
  "name",
  "pool",
  "requested_guid",
  "mtu",
  "addresses",
  "metric",
  "routes",
  "dns",
  "dns_search",
] as const;

const NAME_TAKEN =
  "An adapter with this name already exists. Choose another name, or open the existing adapter.";

export type FieldName = (typeof FIELDS)[number];
type Texts = Record<FieldName, string>;

const RULES: Record<FieldName, (text: string) => string> = {
  name: rules.nameRule,
  pool: rules.poolRule,
  requested_guid: rules.guidRule,
  mtu: rules.mtuRule,
  addresses: (text) => rules.addressesRule(rules.linesOf(text)),
  metric: rules.metricRule,
  routes: (text) => rules.routesRule(rules.linesOf(text)),
  dns: (text) => rules.dnsRule(rules.linesOf(text)),
  dns_search: (text) => rules.dnsSearchRule(rules.linesOf(text)),
};

export class AdapterForm {
  readonly texts = signal<Texts>(textsOf(null));
  /** What the service said of a field. */
  private readonly said = signal<Partial<Texts>>({});
  private readonly attempt = new Attempt();
  readonly busy = this.attempt.busy;
  /** What the service said that belongs to no field. */
  readonly problem = computed(() => {
    const problem = this.attempt.problem.value;
    return problem !== null && Object.keys(saidOf(problem)).length === 0 ? problem : null;
  });
  private readonly touched = signal<ReadonlySet<FieldName>>(new Set());
  readonly valid = computed(() => FIELDS.every((field) => this.wrong(field) === ""));
  readonly changed = computed(() =>
    FIELDS.some((field) => this.texts.value[field] !== this.before[field]),
  );
  private readonly before: Texts;

  /** Edits `adapter`; null makes a form for a new one. */
  constructor(readonly adapter: Adapter | null) {
    this.before = textsOf(adapter);
    this.texts.value = this.before;
  }

  set(field: FieldName, text: string): void {
    this.texts.value = { ...this.texts.value, [field]: text };
    this.said.value = { ...this.said.value, [field]: "" };
    this.attempt.problem.value = null;
  }

  /** The field was left: from now on its error shows. */
  touch(field: FieldName): void {
    this.touched.value = new Set(this.touched.value).add(field);
  }

  /** Return the error to show at a field. */
  error(field: FieldName): string {
    return this.said.value[field] || (this.touched.value.has(field) ? this.wrong(field) : "");
  }

  /** Send the request; false when the form has errors or the service refused it. */
  async submit(send: () => Promise<unknown>): Promise<boolean> {
    this.touched.value = new Set(FIELDS);
    if (!this.valid.value || (await this.attempt.run(send))) return this.valid.value;
    const problem = this.attempt.problem.value;
    this.said.value = problem === null ? {} : saidOf(problem);
    return false;
  }

  /** Return the request that makes the adapter; what was left empty is not in it. */
  creation(): AdapterCreate {
    const { name, pool, requested_guid, mtu, metric } = this.trimmed();
    const lists = this.lists();
    return {
      name,
      pool,
      addresses: lists.addresses,
      routes: lists.routes,
      dns: lists.dns,
      dns_search: lists.dns_search,
      ...(requested_guid === "" ? {} : { requested_guid: requested_guid.replace(/[{}]/g, "") }),
      ...(mtu === "" ? {} : { mtu: wholeOf(mtu) }),
      ...(metric === "" ? {} : { metric: wholeOf(metric) }),
    };
  }

  /** Return the request that changes what was changed. */
  update(): AdapterUpdate {
    const texts = this.trimmed();
    const { name, mtu, metric } = texts;
    const lists = this.lists();
    const changed = (field: FieldName) => texts[field] !== this.before[field].trim();
    return {
      ...(changed("name") ? { name } : {}),
      ...(changed("mtu") && mtu !== "" ? { mtu: wholeOf(mtu) } : {}),
      ...(changed("metric") ? { metric: metric === "" ? null : wholeOf(metric) } : {}),
      ...(changed("addresses") ? { addresses: lists.addresses } : {}),
      ...(changed("routes") ? { routes: lists.routes } : {}),
      ...(changed("dns") ? { dns: lists.dns } : {}),
      ...(changed("dns_search") ? { dns_search: lists.dns_search } : {}),
    };
  }

  private wrong(field: FieldName): string {
    return RULES[field](this.texts.value[field].trim());
  }

  /** What is around a text was pasted with it. */
  private trimmed(): Texts {
    const texts = { ...this.texts.value };
    for (const field of FIELDS) texts[field] = texts[field].trim();
    return texts;
  }

  private lists() {
    const { addresses, routes, dns, dns_search } = this.texts.value;
    return {
      addresses: rules.linesOf(addresses),
      routes: rules
        .linesOf(routes)
        .map(rules.parseRoute)
        .filter((route): route is Route => typeof route !== "string"),
      dns: rules.linesOf(dns),
      dns_search: rules.linesOf(dns_search),
    };
  }
}

/** Return what a problem says of the fields. */
function saidOf(problem: Problem): Partial<Texts> {
  const found = problem.errors?.map((one) => [one.field, one.message] as const) ?? [];
  if (problem.field) found.push([problem.field, problem.detail]);
  if (problem.type.endsWith(":adapter-exists")) found.push(["name", NAME_TAKEN]);
  const said: Partial<Texts> = {};
  for (const [place, message] of found) {
    const field = FIELDS.find((known) => known === place.split(".")[0]);
    if (field !== undefined) said[field] = message;
  }
  return said;
}

function textsOf(adapter: Adapter | null): Texts {
  return {
    name: adapter?.name ?? "",
    pool: adapter?.pool ?? "wintun-api",
    requested_guid: adapter?.guid ?? "",
    mtu: adapter?.mtu?.toString() ?? "",
    addresses: adapter?.addresses.join("\n") ?? "",
    metric: adapter?.metric?.toString() ?? "",
    routes: adapter?.routes.map(rules.routeLine).join("\n") ?? "",
    dns: adapter?.dns.join("\n") ?? "",
    dns_search: adapter?.dns_search.join("\n") ?? "",
  };
}

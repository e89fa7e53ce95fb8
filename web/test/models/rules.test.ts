import { describe, expect, it } from "vitest";
import contract from "../../../openapi/openapi.json";
import * as rules from "../../src/models/rules";

const fine = (rule: (text: string) => string, ...texts: string[]) => {
  for (const text of texts) expect(rule(text), text).toBe("");
};
const wrong = (rule: (text: string) => string, ...texts: string[]) => {
  for (const text of texts) expect(rule(text), text).not.toBe("");
};

describe("the rules of the API", () => {
  it("have the limits of the contract", () => {
    const { name, pool, mtu, metric, addresses, routes, dns, dns_search } =
      contract.components.schemas.AdapterCreate.properties;
    fine(rules.nameRule, "x".repeat(name.maxLength));
    wrong(rules.nameRule, "x".repeat(name.maxLength + 1));
    fine(rules.poolRule, "x".repeat(pool.maxLength));
    wrong(rules.poolRule, "x".repeat(pool.maxLength + 1));
    for (const [rule, { minimum, maximum }] of [
      [rules.mtuRule, mtu],
      [rules.metricRule, metric],
    ] as const) {
      fine(rule, `${minimum}`, `${maximum}`);
      wrong(rule, `${minimum - 1}`, `${maximum + 1}`);
    }
    const { maximum } = contract.components.schemas.Route.properties.metric;
    expect(rules.parseRoute(`10.0.0.0/8 metric ${maximum}`)).toBeTypeOf("object");
    expect(rules.parseRoute(`10.0.0.0/8 metric ${maximum + 1}`)).toBeTypeOf("string");
    for (const [rule, { maxItems }, line] of [
      [rules.addressesRule, addresses, (n: number) => `10.6.${n >> 8}.${n & 255}/32`],
      [rules.routesRule, routes, (n: number) => `10.${n >> 8}.${n & 255}.0/24`],
      [rules.dnsRule, dns, (n: number) => `10.6.7.${n}`],
      [rules.dnsSearchRule, dns_search, (n: number) => `example${n}.com`],
    ] as const) {
      const lines = Array.from({ length: maxItems + 1 }, (_, index) => line(index + 1));
      expect(rule(lines)).toBe(`At most ${maxItems} lines; this has ${maxItems + 1}.`);
      expect(rule(lines.slice(1))).toBe("");
    }
  });

  it("read a default route in the family of its next hop", () => {
    const read = (line: string) => rules.parseRoute(line);
    expect(read("default via 10.6.7.1")).toMatchObject({ destination: "0.0.0.0/0" });
    expect(read("default")).toMatchObject({ destination: "0.0.0.0/0" });
    expect(read("default via fd06::1 metric 5")).toMatchObject({ destination: "::/0", metric: 5 });
  });

  it("hold names to what Windows takes", () => {
    fine(rules.nameRule, "OfficeNet", "Büro 2", "x".repeat(127), "😀");
    wrong(
      rules.nameRule,
      "",
      "  ",
      "x".repeat(128),
      "a/b",
      "a\tb",
      "a\u0085b",
      "\ud83d",
      "a\u202eb",
      "a\u200bb",
    );
  });

  it("count names in UTF-16 units, as Windows does", () => {
    expect(rules.nameRule("😀".repeat(64))).toBe("At most 127 characters; this has 128.");
  });

  it("take a GUID with braces or without, or none", () => {
    const guid = "deadbabe-cafe-beef-0123-456789abcdef";
    fine(rules.guidRule, "", guid, `{${guid}}`, guid.toUpperCase());
    wrong(rules.guidRule, "x", guid.slice(1), `${guid}0`);
  });

  it("bound the MTU and the metric", () => {
    fine(rules.mtuRule, "", "576", "65535", "1,500");
    wrong(rules.mtuRule, "575", "65536", "1e3", "-1", "1,5", "1.500");
    fine(rules.metricRule, "", "0", "2147483647");
    wrong(rules.metricRule, "2147483648", "1.5");
  });

  it("want an address with its prefix length, of a host", () => {
    const rule = (text: string) => rules.addressesRule([text]);
    fine(rule, "10.6.7.7/24", "fd06:7::7/64");
    wrong(rule, "10.6.7.7", "10.6.7.7/33", "224.0.0.1/4", "0.0.0.0/0", "ff02::1/64", "office");
  });

  it("bound how many addresses an adapter has", () => {
    const many = Array.from({ length: 65 }, (_, index) => `10.6.7.${index + 1}/24`);
    expect(rules.addressesRule(many)).toBe("At most 64 lines; this has 65.");
    expect(rules.addressesRule(many.slice(1))).toBe("");
  });

  it("read a route with its next hop and metric, and write it the same", () => {
    for (const line of [
      "10.0.0.0/8",
      "10.0.0.0/8 via 10.6.7.1",
      "10.0.0.0/8 via 10.6.7.1 metric 5",
      "fd00::/8 metric 7",
    ]) {
      const route = rules.parseRoute(line);
      expect(typeof route === "string" ? route : rules.routeLine(route)).toBe(line);
    }
  });

  it("say what is wrong with a route", () => {
    const said = (line: string) => rules.routesRule([line]);
    expect(said("10.0.0.1/8")).toContain("beyond its prefix length");
    expect(said("10.0.0.0")).toContain("no prefix length");
    expect(said("224.0.0.0/4")).toContain("is a multicast network");
    expect(said("10.0.0.0/8 via fd06::1")).toContain("must both be IPv4");
    expect(said("10.0.0.0/8 via 0.0.0.0")).toContain("is not a host address");
    expect(said("10.0.0.0/8 by 10.6.7.1")).toContain("is not a valid route");
  });

  it("take a route once", () => {
    const twice = ["10.0.0.0/8 metric 5", "10.0.0.0/8 via 10.6.7.1 metric 5"];
    expect(rules.routesRule(twice)).toBe("10.0.0.0/8 is listed twice.");
    expect(rules.routesRule(["10.0.0.0/8", "10.0.0.0/9"])).toBe("");
  });

  it("take domains to search, no addresses of pages", () => {
    const rule = (text: string) => rules.dnsSearchRule([text]);
    fine(rule, "example.com", "example.com.", "_tcp.example.com", "local");
    wrong(rule, "https://example.com", "-a.example", `${"a".repeat(64)}.example`, "a..b");
  });

  it("read lines and commas alike, blank ones aside", () => {
    expect(rules.linesOf(" 10.6.7.1 ,\n\n 10.6.7.2,10.6.7.3\n")).toEqual([
      "10.6.7.1",
      "10.6.7.2",
      "10.6.7.3",
    ]);
  });
});

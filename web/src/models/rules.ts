/**
 * What the API accepts, so that a form says it before the service does. The service has the last
 * word. Each rule returns what is wrong as a sentence, "" when nothing is.
 */

import type { Route } from "../api/types";
import { parseAddress, parsePrefix } from "../packet/address";
import { spelling, wholeOf } from "./numbers";
import { codeOf, firstUnseen } from "./visible";

const MAX_NAME = 127;
const MAX_POOL = 255;
const MIN_MTU = 576;
const MAX_MTU = 65535;
const MAX_METRIC = 0x7fffffff;
const MAX_ADDRESSES = 64;
const MAX_ROUTES = 16384;
const MAX_DNS = 16;
const FORBIDDEN = '\\/:*?"<>|';
/** Characters that steer a terminal, end a line, or turn the text around them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const GUID = /^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i;
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const DOMAIN = new RegExp(`^(?!.{255})${LABEL}(?:\\.${LABEL})*\\.?$`);

export function nameRule(text: string): string {
  return textRule(text, MAX_NAME);
}

export function poolRule(text: string): string {
  return textRule(text, MAX_POOL);
}

export function guidRule(text: string): string {
  return text === "" || GUID.test(text)
    ? ""
    : "A GUID looks like deadbabe-cafe-beef-0123-456789abcdef.";
}

export function mtuRule(text: string): string {
  return text === "" || isWhole(text, MIN_MTU, MAX_MTU)
    ? ""
    : `The MTU must be from ${MIN_MTU} to ${MAX_MTU} bytes.${spelling(text, wholeOf)}`;
}

export function metricRule(text: string): string {
  return text === "" || isWhole(text, 0, MAX_METRIC)
    ? ""
    : `The metric must be from 0 to ${MAX_METRIC}.${spelling(text, wholeOf)}`;
}

export function addressesRule(lines: readonly string[]): string {
  return tooMany(lines, MAX_ADDRESSES) || firstWrong(lines, interfaceRule);
}

export function dnsRule(lines: readonly string[]): string {
  return tooMany(lines, MAX_DNS) || firstWrong(lines, hostRule);
}

export function dnsSearchRule(lines: readonly string[]): string {
  return (
    tooMany(lines, MAX_DNS) ||
    firstWrong(lines, (line) =>
      DOMAIN.test(line) ? "" : `“${line}” is not a valid domain. Example: example.com`,
    )
  );
}

export function routesRule(lines: readonly string[]): string {
  const seen = new Set<string>();
  return (
    tooMany(lines, MAX_ROUTES) ||
    firstWrong(lines, (line) => {
      const route = parseRoute(line);
      if (typeof route === "string") return route;
      const keys = [
        `${route.destination} metric ${route.metric}`,
        `${route.destination} via ${route.next_hop}`,
      ];
      if (keys.some((key) => seen.has(key))) return `${route.destination} is listed twice.`;
      for (const key of keys) seen.add(key);
      return "";
    })
  );
}

/** Read `10.0.0.0/8 via 10.6.7.1 metric 5`, or `default via fd06::1`; the answer is a sentence when it is no route. */
export function parseRoute(line: string): Route | string {
  const match = /^(\S+?)(?:\s+via\s+(\S+))?(?:\s+metric\s+(\d+))?$/.exec(line);
  const [, first = "", hop, metric = "0"] = match ?? [];
  const everything = hop?.includes(":") ? "::/0" : "0.0.0.0/0";
  const destination = first === "default" ? everything : first;
  const prefix = parsePrefix(destination);
  if (match === null || prefix === null) {
    return `“${line}” is not a valid route. Example: 10.0.0.0/8 via 10.6.7.1 metric 5`;
  }
  if (!destination.includes("/")) return `“${destination}” has no prefix length.`;
  const rest = prefix.address.some((byte, index) => (byte & hostBits(prefix.length, index)) !== 0);
  if (rest) return `${destination} has bits beyond its prefix length.`;
  if (isMulticast(prefix.address))
    return `${destination} is a multicast network. The system sets these routes itself.`;
  if (hop !== undefined) {
    const wrong = hostRule(hop);
    if (wrong !== "") return wrong;
    if (parseAddress(hop)?.length !== prefix.address.length) {
      return `${hop} and ${destination} must both be IPv4, or both IPv6.`;
    }
  }
  if (!isWhole(metric, 0, MAX_METRIC)) return metricRule(metric);
  return { destination, next_hop: hop ?? null, metric: Number(metric) };
}

export function routeLine(route: Route): string {
  const hop = route.next_hop === null ? "" : ` via ${route.next_hop}`;
  return `${route.destination}${hop}${route.metric === 0 ? "" : ` metric ${route.metric}`}`;
}

/** Return what is on the lines of a text, blank ones aside. */
export function linesOf(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function textRule(text: string, limit: number): string {
  if (text.trim() === "") return "This cannot be empty.";
  if (text.length > limit) return `At most ${limit} characters; this has ${text.length}.`;
  if (!text.isWellFormed()) return "This contains half a character.";
  const unseen = unseenRule(text);
  if (unseen !== "") return unseen;
  for (const character of text) {
    if (FORBIDDEN.includes(character)) return `A name cannot contain ${[...FORBIDDEN].join(" ")}`;
  }
  return "";
}

/** Say which character of a text cannot be seen; "" if all of them can. */
export function unseenRule(text: string): string {
  const found = firstUnseen(text, UNSEEN);
  return found === undefined
    ? ""
    : `This contains ${codeOf(found)}, a character that cannot be seen.`;
}

function interfaceRule(line: string): string {
  const prefix = parsePrefix(line);
  if (prefix === null)
    return `“${line}” is not a valid address. Example: 10.6.7.7/24 or fd06::7/64`;
  if (!line.includes("/")) return `“${line}” has no prefix length. Example: ${line}/24`;
  return isNoHost(prefix.address) ? `${line} is not a valid adapter address.` : "";
}

export function hostRule(text: string): string {
  const address = parseAddress(text);
  if (address === null) return `“${text}” is not an IPv4 or IPv6 address.`;
  return isNoHost(address) ? `${text} is not a host address.` : "";
}

function isNoHost(address: Uint8Array): boolean {
  return isMulticast(address) || address.every((byte) => byte === 0);
}

function isMulticast(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 ? first >= 224 && first < 240 : first === 0xff;
}

/** Return the bits of byte `index` that are beyond the prefix. */
function hostBits(length: number, index: number): number {
  return 0xff >> Math.min(8, Math.max(0, length - 8 * index));
}

function isWhole(text: string, least: number, most: number): boolean {
  const value = wholeOf(text);
  return value >= least && value <= most;
}

function firstWrong(lines: readonly string[], rule: (line: string) => string): string {
  for (const line of lines) {
    const wrong = rule(line);
    if (wrong !== "") return wrong;
  }
  return "";
}

function tooMany(lines: readonly string[], most: number): string {
  return lines.length > most ? `At most ${most} lines; this has ${lines.length}.` : "";
}

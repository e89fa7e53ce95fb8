/**
 * Headers as tables: a line for each field, instead of code.
 *
 * A table is a list of `name:Label:kind`, with a semicolon between two. A kind is a number of bytes
 * (`*`: all that are left) and what they are: nothing for a number, `x` for one in hexadecimal,
 * `l` for one that begins with its lowest byte (`L` in hexadecimal), `a` an IP address, `o` octets, `s` text,
 * `p` text behind a byte with its length, `n` a domain name, `_` for nothing that is shown. `&ff00` takes bits of the field before it, `^1&f0` bits of what follows.
 * `=TABLE` names the values (names.ts), `~ms` is the unit.
 */

import { ipv4Text, ipv6Text } from "./address";
import { hex, octets, u8, u16, u32, utf8 } from "./bytes";
import { type Dissection, type Field, SHORT, type Value } from "./dissection";
import { readName } from "./labels";
import { nameOf } from "./names";

interface Entry {
  readonly name: string;
  readonly label: string;
  /** NaN for the rest. */
  readonly size: number;
  readonly form: string;
  readonly mask: number;
  readonly ahead: boolean;
  readonly table: string;
  readonly unit: string;
}

const KIND = /^(\^?)(\d+|\*)([a-zL_]?)(?:&(\w+))?(?:=(\w+))?(?:~(.+))?$/;
const compiled = new Map<string, Entry[]>();

function entriesOf(table: string): Entry[] {
  let entries = compiled.get(table);
  if (entries === undefined) {
    entries = table.split(";").map((line) => {
      const [name = "", label = "", kind = ""] = line.split(":");
      const [, ahead, size, form = "", mask = "0", names = "", unit = ""] = KIND.exec(kind) ?? [];
      return {
        name,
        label,
        size: Number(size),
        form,
        mask: Number.parseInt(mask, 16),
        ahead: ahead === "^",
        table: names,
        unit,
      };
    });
    compiled.set(table, entries);
  }
  return entries;
}

/**
 * Add the fields of a table to a layer, from `at` on, and return where they end. `prefix` is the
 * first part of their names. Throws when `end` comes before that.
 */
export function lay(
  to: Dissection,
  layer: Field,
  prefix: string,
  at: number,
  end: number,
  table: string,
): number {
  const { bytes } = to;
  let last = layer;
  for (const entry of entriesOf(table)) {
    const { name, label, mask, form, ahead } = entry;
    const size = Number.isNaN(entry.size) ? end - at : entry.size;
    const start = mask > 0 && !ahead ? last.start : at;
    if (start + size > end || size < 0) throw SHORT;
    if (mask > 0) {
      const raw = (number(bytes, start, size) & mask) >>> 0;
      const value = raw >>> (31 - Math.clz32(mask & -mask));
      const flag = (mask & (mask - 1)) === 0 && entry.table === "";
      const parent = ahead ? layer : last;
      const text = flag ? undefined : said(entry, value, size);
      parent.add(`${prefix}.${name}`, label, start, start + size, flag ? raw !== 0 : value, text);
      continue;
    }
    if (form === "n") {
      const domain = readName(bytes, to.message, at, end);
      last = layer.add(`${prefix}.${name}`, label, at, domain.end, domain.text || "<Root>");
      if (domain.trouble !== "") throw new Error(domain.trouble);
      at = domain.end;
      continue;
    }
    if (form === "p") {
      at += 1 + u8(bytes, at);
      if (at > end) throw SHORT;
      last = layer.add(`${prefix}.${name}`, label, start, at, utf8(bytes, start + 1, at));
      continue;
    }
    at += size;
    if (form === "_" || (size === 0 && form !== "s")) continue;
    const value = readValue(bytes, start, size, form);
    const text = typeof value === "number" ? said(entry, value, size) : value;
    last = layer.add(`${prefix}.${name}`, label, start, at, value, String(text));
  }
  return at;
}

function readValue(bytes: Uint8Array, start: number, size: number, form: string): Value {
  switch (form) {
    case "a":
      return size === 4 ? ipv4Text(bytes, start) : ipv6Text(bytes, start);
    case "o":
      return octets(bytes, start, Math.min(start + size, start + MAX_OCTETS));
    case "s":
      return utf8(bytes, start, start + size).replace(/\.+$/, (dots) =>
        u8(bytes, start + size - dots.length) === 0 ? "" : dots,
      );
    case "l":
    case "L": {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + u8(bytes, start + i);
      return value;
    }
    default:
      return number(bytes, start, size);
  }
}

/** Of a string of bytes; the bytes themselves are beside it. */
const MAX_OCTETS = 1024;

function said({ form, table, unit }: Entry, value: number, size: number): string {
  const plain = form === "x" || form === "L" ? hex(value, size * 2) : String(value);
  if (table !== "") return `${nameOf(table, value) ?? "Unknown"} (${plain})`;
  return unit === "" ? plain : `${plain} ${unit}`;
}

function number(bytes: Uint8Array, start: number, size: number): number {
  switch (size) {
    case 1:
      return u8(bytes, start);
    case 2:
      return u16(bytes, start);
    case 4:
      return u32(bytes, start);
    default: {
      let value = 0;
      for (let i = 0; i < size; i++) value = value * 256 + u8(bytes, start + i);
      return value;
    }
  }
}

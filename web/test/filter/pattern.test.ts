import { describe, expect, it } from "vitest";
import { compilePattern, PatternError } from "../../src/filter/pattern";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const TEXTS = [
  "",
  "GET / x",
  "get",
  "abc",
  "bc",
  "aab",
  "aaab",
  "ab ab",
  "foo",
  "a foo b",
  "xfoo",
  "foobar",
  "zz",
  "az",
  "dz",
  "abb",
  "aababb",
  "1.2",
  "Ab",
  "ab",
  "5x",
  "abab",
  "cdab",
  "post /",
  "abd",
  "acd",
  "ad",
  "b",
  "xx",
  "]b",
  "a]c",
  "A",
  "a{,2}",
  "ccd",
  "xy",
  "y",
  "a\nc",
  "_b",
];

describe("a pattern", () => {
  const patterns = [
    "^GET",
    "a|bc|d",
    "(ab)+c",
    "a{2,3}b",
    "x*y",
    "[^a-c]z",
    "\\bfoo\\b",
    "foo$",
    "a.c",
    "(a|b)*abb",
    "\\d+\\.\\d+",
    "^$",
    "a??b",
    "(?:ab|cd){2}",
    "^(GET|POST) /",
    "ab?c?d",
    "(|a)b",
    "\\Bx",
    "[a\\]]c",
    "\\x41",
    "a{,2}",
    "a+?b|c*d",
    "[\\w.]+",
    "\\S\\s\\S",
    "((a|b)+|c)d",
    "^[^x]*$",
  ];
  for (const pattern of patterns) {
    it(`${pattern} finds what the language's own expressions find`, () => {
      const own = new RegExp(pattern, "i");
      const test = compilePattern(pattern);
      const wrong = TEXTS.filter((text) => test(bytes(text)) !== own.test(text));
      expect(wrong).toEqual([]);
    });
  }

  it("takes no regard of case, unless it says so", () => {
    expect(compilePattern("get")(bytes("GET"))).toBe(true);
    expect(compilePattern("(?-i)get")(bytes("GET"))).toBe(false);
    expect(compilePattern("(?-i:g)et")(bytes("gET"))).toBe(true);
  });

  it("sees bytes, whatever they are", () => {
    expect(compilePattern("\\x00\\xff")(Uint8Array.of(1, 0, 255))).toBe(true);
    expect(compilePattern("ü")(bytes("grün"))).toBe(true);
    expect(compilePattern("^.{4}$")(Uint8Array.of(0, 128, 255, 13))).toBe(true);
  });

  it("ends before the last line feed, too", () => {
    expect(compilePattern("foo$")(bytes("foo\n"))).toBe(true);
    expect(compilePattern("foo$")(bytes("foo\n\n"))).toBe(false);
    expect(compilePattern("(?m)foo$")(bytes("foo\nbar"))).toBe(true);
  });

  // Each takes for ever where ways are tried one after the other.
  for (const pattern of ["(a+)+$", "(a|a)*b", "(.*)*x", "(x+x+)+y", "(a?){30}a{30}b"]) {
    it(`${pattern} looks at each byte once`, () => {
      expect(compilePattern(pattern)(bytes(`${"a".repeat(60_000)}!`))).toBe(false);
    });
  }

  const wrong: readonly (readonly [pattern: string, message: string])[] = [
    ["(?=a)", "not supported"],
    ["(a)\\1", "not supported"],
    ["a++", "not supported"],
    ["*a", "before this to repeat"],
    ["[a", "closing bracket"],
    ["(a", "closing bracket"],
    ["a)", "never opened"],
    ["[z-a]", "range"],
    ["\\", "backslash"],
    ["\\y", "no meaning"],
    ["(){1500}{1500}{1500}", "too large"],
    ["((a{30}){30}){30}", "too large"],
  ];
  for (const [pattern, message] of wrong) {
    it(`${pattern} is refused`, () => {
      expect(() => compilePattern(pattern)).toThrow(PatternError);
      expect(() => compilePattern(pattern)).toThrow(message);
    });
  }
});

/**
 * Regular expressions over bytes, for `matches`: the usual part of PCRE, without regard to case.
 *
 * An automaton whose states are found when they are needed: the time is bounded by the bytes times
 * the size of the pattern, whatever the pattern. Only what needs to remember or to look elsewhere
 * (back references, look-around) is refused.
 */

/** A pattern that cannot be understood, and where. */
export class PatternError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

/** Instructions of a pattern, and states that are kept at a time. */
const MAX_PROGRAM = 1500;
const MAX_STATES = 500;
const MAX_DEPTH = 50;

type Assertion = (before: number, after: number) => boolean;
type Node =
  | { readonly set: Uint8Array }
  | { readonly all: readonly Node[] }
  | { readonly any: readonly Node[] }
  | { readonly node: Node; readonly least: number; readonly most: number }
  | { readonly assertion: Assertion };

/** Takes a byte of the set, goes on at one of two places, or holds where an assertion does. */
type Instruction =
  | { readonly set: Uint8Array }
  | { to: number; or: number }
  | { readonly assertion: Assertion }
  | null;

// What stands before and after a place.
const EDGE = 256;
const isWord = (byte: number): boolean =>
  (byte >= 48 && byte < 58) ||
  (byte >= 65 && byte < 91) ||
  (byte >= 97 && byte < 123) ||
  byte === 95;

const setOf = (test: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => Number(test(byte)));
const inverse = (set: Uint8Array): Uint8Array => set.map((one) => 1 - one);
const DIGIT = setOf((byte) => byte >= 48 && byte < 58);
const WORD = setOf(isWord);
const SPACE = setOf((byte) => byte === 32 || (byte >= 9 && byte < 14));
const CLASSES: Readonly<Record<string, Uint8Array>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: inverse(DIGIT),
  W: inverse(WORD),
  S: inverse(SPACE),
};
const NAMED: Readonly<Record<string, (byte: number) => boolean>> = {
  alpha: (byte) => isWord(byte) && byte >= 65 && byte !== 95,
  digit: (byte) => byte >= 48 && byte < 58,
  alnum: (byte) => isWord(byte) && byte !== 95,
  upper: (byte) => byte >= 65 && byte < 91,
  lower: (byte) => byte >= 97 && byte < 123,
  space: (byte) => byte === 32 || (byte >= 9 && byte < 14),
  punct: (byte) => byte > 32 && byte < 127 && (!isWord(byte) || byte === 95),
  xdigit: (byte) => /[0-9a-f]/i.test(String.fromCharCode(byte)),
  print: (byte) => byte >= 32 && byte < 127,
  cntrl: (byte) => byte < 32 || byte === 127,
};
const CONTROLS: Readonly<Record<string, number>> = {
  n: 10,
  r: 13,
  t: 9,
  f: 12,
  e: 27,
  a: 7,
  v: 11,
};

const UNSUPPORTED = "Back references and look-around are not supported";

/** Reads a pattern, which has a character for each byte. */
class Reader {
  private at = 0;
  private depth = 0;
  private flags = { i: true, s: false, m: false };

  constructor(private readonly text: string) {}

  read(): Node {
    const node = this.alternatives();
    if (this.at < this.text.length) this.fail("This bracket was never opened");
    return node;
  }

  private alternatives(): Node {
    if (++this.depth > MAX_DEPTH) this.fail("The brackets are nested too deeply");
    const flags = { ...this.flags };
    const any = [this.sequence()];
    while (this.take("|")) any.push(this.sequence());
    this.flags = flags;
    this.depth--;
    return { any };
  }

  private sequence(): Node {
    const all: Node[] = [];
    while (this.at < this.text.length && !"|)".includes(this.peek())) all.push(this.repeated());
    return { all };
  }

  private repeated(): Node {
    let node = this.atom();
    for (;;) {
      const [whole, sign, low = "", comma, high = ""] =
        /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(this.text.slice(this.at, this.at + 16)) ?? [];
      if (whole === undefined) return node;
      this.at += whole.length;
      let [least, most] = [sign === "+" ? 1 : 0, sign === "?" ? 1 : Number.POSITIVE_INFINITY];
      if (sign === undefined) {
        least = Number(low);
        most = high ? Number(high) : comma ? most : least;
        if (least > MAX_PROGRAM || (most > MAX_PROGRAM && most < Number.POSITIVE_INFINITY))
          this.fail("This repeats too often");
      }
      // How much a repetition takes first does not matter to whether there is a match.
      if (!this.take("?") && this.peek() === "+") this.fail(UNSUPPORTED);
      node = { node, least, most };
    }
  }

  private atom(): Node {
    const sign = this.text.charAt(this.at++);
    const { s, m } = this.flags;
    switch (sign) {
      case "(":
        return this.group();
      case "[":
        return this.set();
      case ".":
        return { set: setOf((byte) => s || byte !== 10) };
      case "^":
        return { assertion: (before) => before === EDGE || (m && before === 10) };
      case "$":
        return m
          ? { assertion: (_, after) => after === EDGE || after === 10 }
          : { all: [{ node: this.one(10), least: 0, most: 1 }, END] };
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        return this.fail("There is nothing before this to repeat", -1);
      default:
        return this.one(sign.charCodeAt(0));
    }
  }

  private group(): Node {
    const start = this.at;
    const [whole, flags, colon] = /^\?(?:([ism-]*)(:|\))|P?<[a-z_]\w*>)/i.exec(
      this.text.slice(this.at),
    ) ?? ["", undefined, undefined];
    if (whole === "" && this.peek() === "?") this.fail(UNSUPPORTED);
    this.at += whole.length;
    const before = { ...this.flags };
    let on = true;
    for (const flag of flags ?? "") {
      if (flag === "-") on = false;
      else this.flags = { ...this.flags, [flag]: on };
    }
    if (colon === ")") return { all: [] };
    const node = this.alternatives();
    if (!this.take(")")) {
      this.at = start;
      this.fail("The closing bracket is missing", -1);
    }
    this.flags = before;
    return node;
  }

  private escape(): Node {
    const letter = this.text.charAt(this.at);
    const known = CLASSES[letter];
    if (known !== undefined) {
      this.at++;
      return { set: known };
    }
    const border: Assertion = (before, after) => isWord(before) !== isWord(after);
    const places: Readonly<Record<string, Node>> = {
      b: { assertion: border },
      B: { assertion: (before, after) => !border(before, after) },
      A: { assertion: (before) => before === EDGE },
      z: END,
      Z: { all: [{ node: this.one(10), least: 0, most: 1 }, END] },
    };
    const place = places[letter];
    if (place === undefined) return this.one(this.code());
    this.at++;
    return place;
  }

  /** Read what stands behind a backslash and is one byte. */
  private code(): number {
    const [whole, hex] = /^x\{?([0-9a-f]{1,2})\}?/i.exec(this.text.slice(this.at)) ?? [];
    if (whole !== undefined && hex !== undefined) {
      this.at += whole.length;
      return Number.parseInt(hex, 16);
    }
    const letter = this.text.charAt(this.at++);
    if (letter === "") this.fail("A character should follow the backslash");
    if (letter === "0") return 0;
    if (letter in CONTROLS) return CONTROLS[letter] ?? 0;
    if (/[1-9gk]/.test(letter)) this.fail(UNSUPPORTED, -1);
    if (/[a-z]/i.test(letter)) this.fail(`\\${letter} has no meaning here`, -1);
    return letter.charCodeAt(0);
  }

  private set(): Node {
    const start = this.at;
    const set = new Uint8Array(256);
    const negative = this.take("^");
    for (let first = true; first || this.peek() !== "]"; first = false) {
      if (this.at >= this.text.length) {
        this.at = start;
        this.fail("The closing bracket is missing", -1);
      }
      const [whole, name = ""] = /^\[:(\w+):\]/.exec(this.text.slice(this.at, this.at + 12)) ?? [];
      const named = NAMED[name];
      if (whole !== undefined && named !== undefined) {
        this.at += whole.length;
        for (let byte = 0; byte < 256; byte++) set[byte] = (set[byte] ?? 0) | Number(named(byte));
        continue;
      }
      const low = this.member(set);
      if (low < 0 || this.peek() !== "-" || this.text.charAt(this.at + 1) === "]") continue;
      this.at++;
      const high = this.member(set);
      if (high < low) this.fail("This range ends before it begins");
      set.fill(1, low, high + 1);
    }
    this.at++;
    const folded = this.fold(set);
    return { set: negative ? inverse(folded) : folded };
  }

  /** Add a member of a set; return its byte, -1 for a class. */
  private member(set: Uint8Array): number {
    let byte = this.text.charCodeAt(this.at++);
    if (byte === 0x5c) {
      const known = CLASSES[this.peek()];
      if (known !== undefined) {
        this.at++;
        for (const [at, one] of known.entries()) set[at] = (set[at] ?? 0) | one;
        return -1;
      }
      byte = this.take("b") ? 8 : this.code();
    }
    set[byte] = 1;
    return byte;
  }

  private one(byte: number): Node {
    const set = new Uint8Array(256);
    set[byte] = 1;
    return { set: this.fold(set) };
  }

  private fold(set: Uint8Array): Uint8Array {
    if (!this.flags.i) return set;
    for (let upper = 65; upper < 91; upper++) {
      if (set[upper] || set[upper + 32]) set[upper] = set[upper + 32] = 1;
    }
    return set;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private take(sign: string): boolean {
    if (this.peek() !== sign) return false;
    this.at++;
    return true;
  }

  private fail(message: string, back = 0): never {
    throw new PatternError(message, this.at + back);
  }
}

const END: Node = { assertion: (_, after) => after === EDGE };

interface Program {
  readonly list: Instruction[];
  steps: number;
}

/** Write the instructions of a node behind those that are there. */
function emit(program: Program, node: Node): void {
  const { list } = program;
  // A repetition of nothing adds nothing, but takes its time.
  if (++program.steps > 2 * MAX_PROGRAM || list.length > MAX_PROGRAM)
    throw new PatternError("The pattern is too large", 0);
  if ("set" in node || "assertion" in node) list.push(node);
  else if ("all" in node) for (const one of node.all) emit(program, one);
  else if ("any" in node) {
    const ends: { to: number; or: number }[] = [];
    node.any.forEach((one, index) => {
      const last = index === node.any.length - 1;
      const split = { to: list.length + 1, or: 0 };
      if (!last) list.push(split);
      emit(program, one);
      if (last) return;
      const end = { to: 0, or: 0 };
      ends.push(end);
      list.push(end);
      split.or = list.length;
    });
    for (const end of ends) end.to = end.or = list.length;
  } else {
    for (let i = 0; i < node.least; i++) emit(program, node.node);
    const again = node.most === Number.POSITIVE_INFINITY;
    const splits: { to: number; or: number }[] = [];
    for (let i = node.least; i < (again ? node.least + 1 : node.most); i++) {
      const split = { to: list.length + 1, or: 0 };
      splits.push(split);
      list.push(split);
      emit(program, node.node);
      if (again) list.push({ to: splits[0] ? list.indexOf(splits[0]) : 0, or: -1 });
    }
    for (const split of splits) split.or = list.length;
  }
}

interface State {
  /** Where the instructions stand before the next byte, and the byte before. */
  readonly places: readonly number[];
  readonly before: number;
  /** The state behind each byte, and behind the last one. */
  readonly next: (State | boolean | undefined)[];
}

/** Return a test of bytes for a pattern. Throws PatternError. */
export function compilePattern(text: string): (bytes: Uint8Array) => boolean {
  // A character for each byte.
  const bytewise = String.fromCharCode(...new TextEncoder().encode(text));
  const program: Instruction[] = [];
  emit({ list: program, steps: 0 }, new Reader(bytewise).read());
  program.push(null);
  if (program.length > MAX_PROGRAM) throw new PatternError("The pattern is too large", 0);
  const states = new Map<string, State>();
  const stateOf = (places: readonly number[], before: number): State => {
    const key = `${before} ${places}`;
    let state = states.get(key);
    if (state === undefined) {
      if (states.size >= MAX_STATES) states.clear();
      state = { places, before, next: new Array<undefined>(257) };
      states.set(key, state);
    }
    return state;
  };
  const reached = new Uint8Array(program.length);
  /** The state behind `byte`; true once the pattern is found, false at the end without it. */
  const follow = (state: State, byte: number): State | boolean => {
    reached.fill(0);
    const stack = [...state.places];
    const places: number[] = [0];
    while (stack.length > 0) {
      const place = stack.pop() ?? 0;
      if (place < 0 || reached[place]) continue;
      reached[place] = 1;
      const one = program[place];
      if (one == null) return true;
      if ("set" in one) {
        if (byte !== EDGE && one.set[byte]) places.push(place + 1);
      } else if ("to" in one) stack.push(one.to, one.or);
      else if (one.assertion(state.before, byte)) stack.push(place + 1);
    }
    if (byte === EDGE) return false;
    // Only what an assertion can ask about the byte before is remembered.
    const before = byte === 10 ? 10 : isWord(byte) ? 97 : 32;
    return stateOf(
      [...new Set(places)].sort((a, b) => a - b),
      before,
    );
  };
  return (bytes) => {
    let state = stateOf([0], EDGE);
    for (let at = 0; at <= bytes.length; at++) {
      const byte = bytes[at] ?? EDGE;
      const next = (state.next[byte] ??= follow(state, byte));
      if (next === true) return true;
      if (next === false) return false;
      state = next;
    }
    return false;
  };
}

/** The form of an impairment: both directions alike or each by itself, and the request. */

import { computed, signal } from "@preact/signals";
import type { Impairment, ImpairmentSet, Preset, Problem, SessionImpairment } from "../api/types";
import {
  impairmentOf,
  NAMES,
  NOTHING,
  QUANTITIES,
  type Texts,
  textsOf,
  wrongOf,
} from "./impairment-fields";
import { spelling, wholeOf } from "./numbers";

export const DIRECTIONS = ["received", "injected"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export type Side = "both" | Direction;
type OnChange = NonNullable<ImpairmentSet["on_change"]>;

const SEED = "seed";
const MAX_SEED = Number.MAX_SAFE_INTEGER;

interface State {
  readonly received: Texts;
  readonly injected: Texts;
  readonly preset: string;
  readonly seed: string;
  readonly onChange: OnChange;
}

const EMPTY: State = {
  received: NOTHING,
  injected: NOTHING,
  preset: "",
  seed: "",
  onChange: "deliver",
};

export class ImpairmentForm {
  /** Which direction is shown and changed. */
  readonly side = signal<Side>("both");
  readonly state = signal<State>(EMPTY);
  private readonly before = signal<State>(EMPTY);
  /** What the service said, by direction and field: "received.loss". */
  private readonly said = signal<Readonly<Record<string, string>>>({});
  /** What the service said that has no field here. */
  readonly rest = signal<readonly string[]>([]);
  private readonly touched = signal<ReadonlySet<string>>(new Set());

  /** Whether something was typed or chosen since it was filled. */
  readonly changed = computed(() => this.state.value !== this.before.value);
  readonly isEmpty = computed(() => {
    const { preset, received, injected } = this.state.value;
    return preset === "" && impairmentOf(received) === null && impairmentOf(injected) === null;
  });
  readonly valid = computed(
    () =>
      this.wrongSeed() === "" &&
      DIRECTIONS.every((direction) =>
        QUANTITIES.every((one) => wrongOf(one, this.text(direction, one.name)) === ""),
      ),
  );

  /** Begin with what is set; null begins with nothing. */
  fill(active: SessionImpairment | null): void {
    const rule = active?.rules[0];
    const next: State = {
      received: textsOf(rule?.now_received),
      injected: textsOf(rule?.now_injected),
      preset: rule?.preset ?? "",
      seed: active === null ? "" : String(active.seed),
      onChange: active?.on_change ?? "deliver",
    };
    this.start(next);
    this.side.value = sideOf(next);
  }

  /** Take the numbers of a preset; null keeps them as own values. */
  choose(preset: Preset | null): void {
    const state = this.state.peek();
    this.state.value =
      preset === null
        ? { ...state, preset: "" }
        : {
            ...state,
            preset: preset.name,
            received: textsOf(preset.received),
            injected: textsOf(preset.injected),
          };
    this.forget();
    if (preset !== null) this.side.value = sideOf(this.state.peek());
  }

  /** Return the text of a field; "" where the directions differ. */
  value(name: string): string {
    const side = this.side.value;
    if (side !== "both") return this.text(side, name);
    const text = this.text("received", name);
    return text === this.text("injected", name) ? text : "";
  }

  /** Return what a field has where the directions differ, else "". */
  mixed(name: string): string {
    const received = this.text("received", name);
    const injected = this.text("injected", name);
    if (this.side.value !== "both" || received === injected) return "";
    return `From host ${received || "not set"}, to host ${injected || "not set"}.`;
  }

  /** Change a field of the direction that is shown, or of both; it is no longer the preset's. */
  set(name: string, text: string): void {
    const state = this.state.peek();
    const change = (direction: Direction): Texts =>
      this.sides().includes(direction) ? { ...state[direction], [name]: text } : state[direction];
    this.state.value = {
      ...state,
      preset: "",
      received: change("received"),
      injected: change("injected"),
    };
    this.unsay(...this.sides().map((direction) => `${direction}.${name}`), "preset");
  }

  setSeed(text: string): void {
    this.state.value = { ...this.state.peek(), seed: text };
    this.unsay(SEED);
  }

  setOnChange(onChange: OnChange): void {
    this.state.value = { ...this.state.peek(), onChange };
    this.unsay("on_change");
  }

  /** The field was left: from now on its error shows. */
  touch(name: string): void {
    this.touched.value = new Set(this.touched.peek()).add(name);
  }

  /** Return the error to show at a field. */
  error(name: string): string {
    const quantity = QUANTITIES.find((one) => one.name === name);
    for (const direction of this.sides()) {
      const said = this.said.value[`${direction}.${name}`];
      if (said) return said;
      if (quantity === undefined || !this.touched.value.has(name)) continue;
      const wrong = wrongOf(quantity, this.text(direction, name));
      if (wrong !== "") return wrong;
    }
    return "";
  }

  /** Return the error to show at the seed, the preset or what happens at a change. */
  errorOf(member: "seed" | "preset" | "on_change"): string {
    const said = this.said.value[member] ?? "";
    return said || (member === SEED && this.touched.value.has(SEED) ? this.wrongSeed() : "");
  }

  /** Show every error; false if there is one. The first is brought into view. */
  check(): boolean {
    this.touched.value = new Set([...NAMES, SEED]);
    const wrong = DIRECTIONS.find((direction) =>
      QUANTITIES.some((one) => wrongOf(one, this.text(direction, one.name)) !== ""),
    );
    if (wrong !== undefined) this.show(wrong);
    return this.valid.value;
  }

  /** Return the request. */
  body(): ImpairmentSet {
    const { received, injected, preset, seed, onChange } = this.state.value;
    const what =
      preset === ""
        ? { received: impairmentOf(received), injected: impairmentOf(injected) }
        : { preset };
    return {
      ...(what as { received: Impairment | null; injected: Impairment | null }),
      ...(seed.trim() === "" ? {} : { seed: wholeOf(seed) }),
      on_change: onChange,
    };
  }

  /** Show what the service refused at its fields; false where it named none. */
  refuse(problem: Problem): boolean {
    const errors = problem.errors?.map((one) => [one.field, one.message] as const) ?? [];
    if (errors.length === 0 && problem.field) errors.push([problem.field, problem.detail]);
    const said: Record<string, string> = {};
    const rest: string[] = [];
    for (const [path, message] of errors) {
      const place = placeOf(path);
      if (place === "") rest.push(`${path}: ${message}`);
      else said[place] ??= message;
    }
    this.said.value = said;
    this.rest.value = rest;
    const sides = DIRECTIONS.filter((one) => Object.keys(said).some((key) => key.startsWith(one)));
    if (sides[0] !== undefined) this.show(sides[0]);
    return errors.length > 0;
  }

  private start(state: State): void {
    this.state.value = this.before.value = state;
    this.forget();
  }

  private forget(): void {
    this.said.value = {};
    this.rest.value = [];
    this.touched.value = new Set();
  }

  private unsay(...places: string[]): void {
    const said = { ...this.said.peek() };
    for (const place of places) delete said[place];
    this.said.value = said;
    this.rest.value = [];
  }

  /** Show a direction, unless it is shown already. */
  private show(direction: Direction): void {
    if (!this.sides().includes(direction)) this.side.value = direction;
  }

  private sides(): readonly Direction[] {
    const side = this.side.value;
    return side === "both" ? DIRECTIONS : [side];
  }

  private text(direction: Direction, name: string): string {
    return this.state.value[direction][name] ?? "";
  }

  private wrongSeed(): string {
    const text = this.state.value.seed.trim();
    const seed = wholeOf(text);
    if (text === "" || (seed >= 0 && seed <= MAX_SEED)) return "";
    return `The seed must be a whole number from 0 to ${MAX_SEED}.${spelling(text, wholeOf)}`;
  }
}

/** Return the field for a path of a problem, "received.loss" for "rules.0.received.loss", or "". */
function placeOf(path: string): string {
  const parts = path.split(".");
  if (parts[0] === "body") parts.shift();
  if (parts[0] === "rules") parts.splice(0, 2);
  const [first = "", ...inner] = parts;
  if (inner.length === 0) return ["seed", "preset", "on_change"].includes(first) ? first : "";
  if (first !== "received" && first !== "injected") return "";
  const name = inner.join(".") === "gilbert_elliott" ? "gilbert_elliott.p" : inner.join(".");
  return NAMES.includes(name) ? `${first}.${name}` : "";
}

/** Return the direction that has values, both if that is not just one. */
function sideOf({ received, injected }: State): Side {
  const isBare = (texts: Texts) => NAMES.every((name) => !texts[name]);
  if (isBare(received) === isBare(injected)) return "both";
  return isBare(injected) ? "received" : "injected";
}

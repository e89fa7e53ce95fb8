/** The form of a named capture: texts as they are typed, what is wrong with them, the request. */

import { computed, signal } from "@preact/signals";
import type {
  CaptureCreate,
  CaptureDirection,
  EventType,
  FilterVerdict,
  Problem,
  Trigger,
} from "../api/types";
import { parseDuration, parseSize } from "./amounts";
import { Attempt } from "./attempt";
import { FilterCheck } from "./filter-check";
import { spelling, wholeOf } from "./numbers";
import { duration } from "./units";

/** The fields that are typed into, by the name that they have in the request. */
export const FIELDS = [
  "name",
  "pool",
  "snaplen",
  "stop.packets",
  "stop.bytes",
  "stop.seconds",
  "rotate.bytes",
  "rotate.seconds",
  "keep.files",
  "keep.bytes",
  "trigger.before",
  "trigger.after",
] as const;

export type FieldName = (typeof FIELDS)[number];
/** All adapters, some that are chosen, or those of a pool. */
export type Which = "all" | "some" | "pool";
export type TriggerKind = "" | Trigger["on"];

/** What begins a capture that waits; those of captures themselves would make no sense. */
export const EVENTS: readonly EventType[] = [
  "session.loss",
  "session.started",
  "session.restarted",
  "session.ended",
  "session.failed",
  "session.abandoned",
  "session.rejoined",
  "adapter.created",
  "adapter.changed",
  "adapter.deleted",
  "impairment.set",
  "impairment.step",
  "impairment.loss",
  "impairment.nearly_full",
  "impairment.removed",
  "driver.log",
  "driver.slow",
  "operation.failed",
];

const MAX_NAME = 64;
const MAX_PACKET = 65535;
const MAX_FILES = 2000;
const MIN_BYTES = 4096;
const MAX_SECONDS = 1e7;
const MAX_BEFORE = 86400;
/** Parts of the form that are not fields of text. */
const OTHERS: readonly string[] = ["adapters", "direction", "trigger.event", "trigger.on"];

const RULES: Readonly<Record<FieldName, (text: string) => string>> = {
  name: (text) =>
    [...text].length <= MAX_NAME ? "" : `A name has at most ${MAX_NAME} characters.`,
  pool: () => "",
  snaplen: (text) => wholeRule(text, 0, MAX_PACKET),
  "stop.packets": (text) => wholeRule(text, 1, Number.MAX_SAFE_INTEGER),
  "stop.bytes": sizeRule,
  "stop.seconds": (text) => durationRule(text),
  "rotate.bytes": sizeRule,
  "rotate.seconds": (text) => durationRule(text, { least: 1 }),
  "keep.files": (text) => wholeRule(text, 1, MAX_FILES),
  "keep.bytes": sizeRule,
  "trigger.before": (text) => durationRule(text, { least: 0, most: MAX_BEFORE }),
  "trigger.after": (text) => durationRule(text),
};

export class CaptureForm {
  readonly texts = signal(
    Object.fromEntries(FIELDS.map((field) => [field, ""])) as Record<FieldName, string>,
  );
  readonly which = signal<Which>("all");
  readonly adapters = signal<ReadonlySet<string>>(new Set());
  readonly direction = signal<CaptureDirection>("both");
  readonly marks = signal(false);
  readonly on = signal<TriggerKind>("");
  readonly event = signal<EventType>("session.loss");
  readonly filter: FilterCheck;
  readonly triggerFilter: FilterCheck;
  private readonly attempt = new Attempt();
  readonly busy = this.attempt.busy;
  /** What the service said of a field. */
  private readonly said = signal<Readonly<Record<string, string>>>({});
  private readonly touched = signal<ReadonlySet<string>>(new Set());
  /** What the service said that belongs to no field. */
  readonly problem = computed(() => {
    const problem = this.attempt.problem.value;
    return problem !== null && Object.keys(this.said.value).length === 0 ? problem : null;
  });

  constructor(check: (filter: string) => Promise<FilterVerdict>) {
    this.filter = new FilterCheck(check);
    this.triggerFilter = new FilterCheck(check);
  }

  set(field: FieldName, text: string): void {
    this.texts.value = { ...this.texts.peek(), [field]: text };
    this.unsay(field);
  }

  /** Take an adapter, or leave it. */
  toggle(guid: string): void {
    const next = new Set(this.adapters.peek());
    if (!next.delete(guid)) next.add(guid);
    this.adapters.value = next;
    this.unsay("adapters");
  }

  /** The field was left: from now on its error shows. */
  touch(field: string): void {
    this.touched.value = new Set(this.touched.peek()).add(field);
  }

  /** Return the error to show at a field. */
  error(field: FieldName | "adapters" | "trigger.event"): string {
    const said = this.said.value[field];
    return said || (this.touched.value.has(field) ? this.wrong(field) : "");
  }

  /** Send the request; false when the form has errors or the service refused it. */
  async submit(send: (body: CaptureCreate) => Promise<unknown>): Promise<boolean> {
    this.touched.value = new Set([...FIELDS, "adapters"]);
    if (!this.isValid() || !(await this.mayFiltersBeSent())) return false;
    this.said.value = {};
    if (await this.attempt.run(() => send(this.body()))) return true;
    const problem = this.attempt.problem.peek();
    if (problem !== null) this.refuse(problem);
    return false;
  }

  /** Ask nothing any more. */
  close(): void {
    this.filter.forget();
    this.triggerFilter.forget();
  }

  /** Return the request; what was left empty is not in it. */
  body(): CaptureCreate {
    const name = this.text("name");
    const which = this.which.value;
    return {
      ...(name === "" ? {} : { name }),
      ...(which === "some" ? { adapters: [...this.adapters.value] } : {}),
      ...(which === "pool" ? { pool: this.text("pool") } : {}),
      direction: this.direction.value,
      filter: this.filter.text.value.trim(),
      snaplen: this.text("snaplen") === "" ? 0 : wholeOf(this.text("snaplen")),
      marks: this.marks.value,
      stop: {
        ...this.whole("packets", "stop.packets"),
        ...this.size("bytes", "stop.bytes"),
        ...this.duration("seconds", "stop.seconds"),
      },
      rotate: {
        ...this.size("bytes", "rotate.bytes"),
        ...this.duration("seconds", "rotate.seconds"),
      },
      keep: { ...this.whole("files", "keep.files"), ...this.size("bytes", "keep.bytes") },
      ...this.trigger(),
    };
  }

  private trigger(): { trigger?: Trigger } {
    const on = this.on.value;
    if (on === "") return {};
    return {
      trigger: {
        on,
        ...(on === "event" ? { event: this.event.value } : {}),
        ...(on === "filter" ? { filter: this.triggerFilter.text.value.trim() } : {}),
        before: parseDuration(this.text("trigger.before")) ?? 0,
        ...this.duration("after", "trigger.after"),
      },
    };
  }

  /** Show what the service refused at its fields. */
  private refuse(problem: Problem): void {
    const errors = problem.errors?.map((one) => [one.field, one.message] as const) ?? [];
    if (errors.length === 0 && problem.field) errors.push([problem.field, problem.detail]);
    const said: Record<string, string> = {};
    for (const [path, message] of errors) {
      const field = path.replace(/^body\./, "").replace(/^adapters\..*/, "adapters");
      if (field === "filter") this.filter.refuse(message);
      else if (field === "trigger.filter") this.triggerFilter.refuse(message);
      else if (!OTHERS.includes(field) && !FIELDS.some((one) => one === field)) continue;
      said[field] ??= message;
    }
    this.said.value = said;
  }

  /** A filter that is known to be wrong is not sent: its fault is shown at its place already. */
  private async mayFiltersBeSent(): Promise<boolean> {
    if (this.on.value === "filter" && this.triggerFilter.text.value.trim() === "") {
      this.triggerFilter.refuse("Enter the filter that starts the capture.");
    }
    const filters = this.on.value === "filter" ? [this.filter, this.triggerFilter] : [this.filter];
    return (await Promise.all(filters.map((one) => one.mayBeSent()))).every(Boolean);
  }

  private isValid(): boolean {
    return [...FIELDS, "adapters" as const].every((field) => this.wrong(field) === "");
  }

  private wrong(field: FieldName | "adapters" | "trigger.event"): string {
    if (field === "trigger.event") return "";
    if (field === "adapters") {
      const isMissing = this.which.value === "some" && this.adapters.value.size === 0;
      return isMissing ? "Choose at least one adapter, or choose All." : "";
    }
    if (field.startsWith("trigger.") && this.on.value === "") return "";
    const text = this.text(field);
    if (field === "pool" && this.which.value === "pool" && text === "") {
      return "Enter the name of a pool.";
    }
    return text === "" ? "" : RULES[field](text);
  }

  private text(field: FieldName): string {
    return this.texts.value[field].trim();
  }

  private whole<Name extends string>(name: Name, field: FieldName) {
    return this.member(name, field, wholeOf);
  }

  private size<Name extends string>(name: Name, field: FieldName) {
    return this.member(name, field, parseSize);
  }

  private duration<Name extends string>(name: Name, field: FieldName) {
    return this.member(name, field, parseDuration);
  }

  private member<Name extends string>(
    name: Name,
    field: FieldName,
    parse: (text: string) => number | null,
  ): { [Member in Name]?: number } {
    const text = this.text(field);
    return (text === "" ? {} : { [name]: parse(text) }) as { [Member in Name]?: number };
  }

  private unsay(field: string): void {
    this.said.value = { ...this.said.peek(), [field]: "" };
  }
}

function wholeRule(text: string, least: number, most: number): string {
  const value = wholeOf(text);
  if (value >= least && value <= most) return "";
  const range =
    most === Number.MAX_SAFE_INTEGER ? `, at least ${least}` : ` from ${least} to ${most}`;
  return `Enter a whole number${range}.${spelling(text, wholeOf)}`;
}

function sizeRule(text: string): string {
  const bytes = parseSize(text);
  if (bytes === null) return "Enter a number with a unit, such as 64 MiB or 2 GB.";
  return bytes >= MIN_BYTES ? "" : "The size must be at least 4 KiB.";
}

/** A time is longer than 0 s, or at least as long as `least`. */
function durationRule(text: string, { least = -1, most = MAX_SECONDS } = {}): string {
  const seconds = parseDuration(text);
  if (seconds === null) return "Enter a number with a unit, such as 30 s, 10 min or 2 h.";
  if (seconds > most) return `The time can be at most ${duration(most)}.`;
  if (seconds < least) return `The time must be at least ${duration(least)}.`;
  return seconds === 0 && least < 0 ? "The time must be more than 0 s." : "";
}

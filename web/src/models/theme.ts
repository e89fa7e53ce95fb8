/** Light, dark, or as the system has it. */

import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEY = "wintun-api.theme";

export class ThemeModel {
  readonly choice = signal<Theme>("system");
  readonly shown = signal<"light" | "dark">("light");

  /** `prefersDark` is what the system says; `store` keeps the choice, a `Storage` is one. */
  constructor(
    prefersDark: MediaQueryList,
    store: Pick<Storage, "getItem" | "setItem">,
    apply: (theme: "light" | "dark") => void,
  ) {
    const kept = store.getItem(KEY);
    this.choice.value = THEMES.find((theme) => theme === kept) ?? "system";
    const system = signal(prefersDark.matches);
    prefersDark.addEventListener("change", (event) => {
      system.value = event.matches;
    });
    effect(() => {
      const choice = this.choice.value;
      store.setItem(KEY, choice);
      const dark = choice === "dark" || (choice === "system" && system.value);
      this.shown.value = dark ? "dark" : "light";
      apply(this.shown.value);
    });
  }

  next(): void {
    const index = THEMES.indexOf(this.choice.value);
    this.choice.value = THEMES[(index + 1) % THEMES.length] ?? "system";
  }
}

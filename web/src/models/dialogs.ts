/** The dialog of the overview that is open, and whether the panel beside a session is. */

import { signal } from "@preact/signals";

export type OpenedDialog =
  | { readonly name: "create" }
  | { readonly name: "open" }
  | { readonly name: "edit" | "delete" | "start"; readonly guid: string };

export class DialogsModel {
  readonly opened = signal<OpenedDialog | null>(null);

  /** Whether the network of a session can be changed; it stays open for the next adapter. */
  readonly network = signal(false);

  open(dialog: OpenedDialog): void {
    this.opened.value = dialog;
  }

  close(): void {
    this.opened.value = null;
  }
}

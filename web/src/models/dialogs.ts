/** The dialog of the overview that is open. */

import { signal } from "@preact/signals";

export type OpenedDialog =
  | { readonly name: "create" }
  | { readonly name: "open" }
  | { readonly name: "edit" | "delete" | "start"; readonly guid: string };

export class DialogsModel {
  readonly opened = signal<OpenedDialog | null>(null);

  open(dialog: OpenedDialog): void {
    this.opened.value = dialog;
  }

  close(): void {
    this.opened.value = null;
  }
}

/** A modal dialog with a form: the browser keeps the focus inside and closes it with Escape. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./Button";

/** Dialogs that are open: what lies below their veil cannot be reached. */
export const openDialogs = signal(0);

interface Props {
  readonly title: ComponentChildren;
  readonly children: ComponentChildren;
  readonly action: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** Whether its action asks the service for something. */
  readonly online?: boolean;
  readonly busy?: boolean;
  readonly onSubmit: () => void | Promise<void>;
  readonly onClose: () => void;
}

export function Dialog({ title, children, action, danger = false, ...rest }: Props) {
  const { disabled = false, online = true, busy = false, onSubmit, onClose } = rest;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    firstOf(dialog.current, danger)?.focus();
    openDialogs.value++;
    // The browser gives the focus back when a dialog is closed, not when it is removed.
    return () => {
      openDialogs.value--;
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const submit = async () => {
    await onSubmit();
    requestAnimationFrame(() => showErrors(dialog.current));
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={id} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!disabled && !busy) void submit();
        }}
      >
        <header>
          <h2 id={id}>{title}</h2>
          <Button icon="close" label="Close" kind="quiet" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind={danger ? "danger" : "primary"}
            online={online}
            disabled={disabled || busy}
          >
            {busy ? "Working…" : action}
          </Button>
        </footer>
      </form>
    </dialog>
  );
}

/** Return what Enter is meant for: a field, else the action, or Cancel where the action is dangerous. */
function firstOf(
  dialog: HTMLDialogElement | null,
  danger: boolean,
): HTMLElement | null | undefined {
  const find = (what: string) => dialog?.querySelector<HTMLElement>(`${what}:enabled`);
  return (
    find("[data-autofocus]") ??
    (danger ? null : (find("[type=submit]") ?? find(".dialog-body :is(input,select,textarea)"))) ??
    find("footer button")
  );
}

/** Unfold the parts with fields that are wrong, and go to the first of these. */
function showErrors(dialog: HTMLDialogElement | null): void {
  const folded = dialog?.querySelectorAll<HTMLDetailsElement>("details:has([aria-invalid=true])");
  for (const part of folded ?? []) part.open = true;
  dialog?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
}

/** Arrow keys between the rows of a table whose rows have a button. */

export function moveBetweenRows(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const body = event.currentTarget as HTMLElement;
  const buttons = [...body.querySelectorAll<HTMLButtonElement>(".row-button")];
  const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
  next?.focus();
  next?.click();
}

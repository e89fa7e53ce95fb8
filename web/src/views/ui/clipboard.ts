/** Copy a text, also on a page that the browser does not trust with its clipboard. */

/** Copy a text; false where the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  // Without TLS, and elsewhere than on this machine, a page has no such object.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: the older way may be.
    }
  }
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  area.setAttribute("aria-hidden", "true");
  // What lies outside an open dialog cannot take the focus.
  (before?.closest("dialog") ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

/** Hand a file to the browser, which saves it where it saves downloads. */

/** How long the browser may take to begin, in milliseconds. */
const PATIENCE = 60_000;

export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), PATIENCE);
}

/** The name of a file of this moment: "wintun-2026-01-02T030405.pcapng". */
export function nameOf(what: string): string {
  return `${what}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.pcapng`;
}

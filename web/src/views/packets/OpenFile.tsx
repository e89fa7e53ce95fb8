/** Open a capture file: chosen with a button, or dropped on the view. */

import type { RefObject } from "preact";
import { openFile } from "../../models/opened-file";
import { goneText } from "../bookmark";
import { useDashboard } from "../context";

/** What is no longer true once another file is open, and once one of that name is. */
const NOT_OPENED = " was not opened. ";

/** Return what opens a file and shows it. */
export function useOpening(): (file: File) => Promise<void> {
  const { capture, notices, table } = useDashboard();
  return async (file) => {
    try {
      const opened = await openFile(file);
      capture.open(opened);
      table.follow(false);
      const said = notices.current.peek()?.text;
      if (said?.includes(NOT_OPENED) || said?.startsWith(goneText(file.name))) notices.dismiss();
    } catch (error) {
      notices.warn(`${file.name}${NOT_OPENED}${(error as Error).message}`);
    }
  };
}

/** What the browser's dialog for files hangs on. */
export function FileInput({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const open = useOpening();
  return (
    <input
      ref={input}
      type="file"
      hidden
      aria-label="Capture file"
      accept=".pcap,.pcapng,.cap,.dmp"
      onChange={({ currentTarget }) => {
        const file = currentTarget.files?.[0];
        currentTarget.value = ""; // the same file can be opened again
        if (file !== undefined) void open(file);
      }}
    />
  );
}

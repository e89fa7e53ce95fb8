/** The files of a capture, each of which can be downloaded at any time. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Capture, CaptureFile } from "../../api/types";
import { isActive } from "../../models/captures";
import { binary, count, momentText } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { save } from "../ui/save";
import { type Column, TableHead } from "../ui/TableHead";

/** As many are shown until the others are asked for. */
const SHOWN = 50;
const COLUMNS: readonly Column[] = [["File"], ["Packets", "number"], ["Size", "number"]];
const DOWNLOAD: Column = [<span class="unseen">Download</span>];

export function FileTable({ capture }: { capture: Capture }) {
  const { service } = useDashboard();
  const [isLong, setLong] = useState(false);
  const { files, deleted_files: deleted } = capture;
  if (files.length === 0) {
    return (
      <p class="reason">
        {isActive(capture)
          ? "The first file appears with the first packet."
          : "There are no files."}
      </p>
    );
  }
  // The newest first: what was just written is what is looked for.
  const shown = [...files].reverse().slice(0, isLong ? undefined : SHOWN);
  return (
    <>
      <table class="counters files">
        <TableHead columns={service.can("capture") ? [...COLUMNS, DOWNLOAD] : COLUMNS} />
        <tbody>
          {shown.map((file) => (
            <Row key={file.number} capture={capture} file={file} />
          ))}
        </tbody>
      </table>
      {shown.length < files.length && (
        <p class="reason">
          <button type="button" class="text-button" onClick={() => setLong(true)}>
            Show {count(files.length - shown.length)} older files
          </button>
        </p>
      )}
      {deleted > 0 && (
        <p class="reason">
          {deleted === 1 ? "1 older file was" : `${count(deleted)} older files were`} deleted to
          stay within the limits.
        </p>
      )}
    </>
  );
}

function Row({ capture, file }: { capture: Capture; file: CaptureFile }) {
  const { captures, notices, service } = useDashboard();
  const [isBusy, setBusy] = useState(false);
  const ending = useRef<AbortController | null>(null);
  useEffect(() => () => ending.current?.abort(), []);
  const download = async () => {
    const end = new AbortController();
    ending.current = end;
    setBusy(true);
    try {
      save(await captures.file(capture.id, file.number, end.signal), file.name);
    } catch (error) {
      if (!end.signal.aborted) notices.fail(`Could not download ${file.name}`, error);
    }
    if (!end.signal.aborted) setBusy(false);
  };
  const cancel = () => {
    ending.current?.abort();
    setBusy(false);
  };
  return (
    <tr>
      <th scope="row">
        <bdi class="cut" title={file.name}>
          {file.name}
        </bdi>
        <span class="soft cut">{spanOf(file, isActive(capture))}</span>
      </th>
      <td class="number">{count(file.packets)}</td>
      <td class="number">{binary(file.bytes)}</td>
      {service.can("capture") && (
        <td>
          {isBusy ? (
            <Button icon="close" label={`Cancel the download of ${file.name}`} onClick={cancel} />
          ) : (
            <Button icon="save" label={`Download ${file.name}`} onClick={download} />
          )}
        </td>
      )}
    </tr>
  );
}

function spanOf({ first, last, complete }: CaptureFile, isWritten: boolean): string {
  if (first === null) return "no packets";
  const until = last === null || (isWritten && !complete) ? "now" : momentText(last);
  return `${momentText(first)} to ${until}`;
}

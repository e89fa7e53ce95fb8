/** The file that is shown: its name, what is wrong with it, and the way back to what comes. */

import { count } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Name } from "../ui/Name";

export function FileStrip() {
  const { capture, chosen } = useDashboard();
  const file = capture.file.value;
  if (file === null) return null;
  const back = chosen.name.value === "" ? "Close the file" : "Close the file and go back to live";
  return (
    <div class="file-strip" role="status">
      <p>
        <strong>File</strong> <Name of={file.name} /> · {count(file.ring.packets)} packets
        {!file.hasDirections && " · the file has no directions"}
      </p>
      {file.faults.length > 0 && (
        <ul>
          {file.faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      )}
      <Button icon="close" onClick={() => capture.open(null)}>
        {back}
      </Button>
    </div>
  );
}

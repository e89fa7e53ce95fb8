/** How the packets of the adapter come into Wireshark. */

import { useDashboard } from "../context";
import { Copy } from "../ui/Copy";
import { Dialog } from "../ui/Dialog";

export function WiresharkDialog({ adapter, onClose }: { adapter: string; onClose: () => void }) {
  const { service } = useDashboard();
  const isWindows = service.system.value?.platform.startsWith("Windows") ?? false;
  const name = shellWord(adapter, isWindows);
  return (
    <Dialog
      title="Open in Wireshark"
      action="Done"
      online={false}
      onSubmit={onClose}
      onClose={onClose}
    >
      <p>
        Wireshark can show the packets of <bdi>{adapter}</bdi> as they arrive. Run this in a
        terminal on this computer:
      </p>
      <Copy label="the command" text={`wintun-api capture ${name} --write - | wireshark -k -i -`} />
      <p>
        Or let Wireshark list the adapter among its own interfaces. Run this once, and press F5 in
        Wireshark:
      </p>
      <Copy label="the command that installs it" text="wintun-api extcap install" />
      <p>Then start a capture from this interface:</p>
      <Copy label="the name of the interface" text={`wintun-api:${adapter}`} />
      <p>
        <a href="/guide/wireshark" target="_blank" rel="noopener">
          Wireshark in the guide
        </a>
      </p>
    </Dialog>
  );
}

/** Write a name as one word of a command line. */
function shellWord(name: string, isWindows: boolean): string {
  if (/^[\w.-]+$/.test(name)) return name;
  return isWindows ? `"${name}"` : `'${name.replaceAll("'", `'\\''`)}'`;
}

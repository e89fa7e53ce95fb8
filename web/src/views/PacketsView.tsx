/** The live packets: filter, table, detail. */

export function PacketsView() {
  return <h1>Packets</h1>;
}

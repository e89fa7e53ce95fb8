/** Rates, protocols, conversations and losses over the last minutes. */

export function TrafficView() {
  return <h1>Traffic</h1>;
}

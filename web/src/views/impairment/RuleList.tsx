/** Rules and scenarios that another program set: shown, not edited. */

import type { ActiveRule } from "../../api/types";
import { wordsOf } from "../../models/impairment-fields";
import { Facts } from "../ui/Facts";

export function RuleList({ rules }: { rules: readonly ActiveRule[] }) {
  return (
    <>
      <p class="soft">
        Another program set {rules.length === 1 ? "this rule" : `these ${rules.length} rules`}. The
        first rule that matches a packet applies. You can replace or remove them here, but not edit
        them.
      </p>
      <ol class="rules">
        {rules.map((rule, index) => (
          <li key={index}>
            <Facts
              facts={[
                ["Packets", matchOf(rule)],
                ...(rule.preset ? ([["Preset", rule.preset]] as const) : []),
                ["From host", wordsOf(rule.now_received)],
                ["To host", wordsOf(rule.now_injected)],
                ...(rule.scenario ? ([["Scenario", <Scenario key="s" of={rule} />]] as const) : []),
              ]}
            />
          </li>
        ))}
      </ol>
    </>
  );
}

function matchOf({ match }: ActiveRule): string {
  const words = Object.entries(match ?? {})
    .filter(([, value]) => value != null)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
  return words.join(", ") || "all";
}

function Scenario({ of: { scenario, progress } }: { of: ActiveRule }) {
  if (scenario == null || progress === null) return null;
  const { steps, loop = false } = scenario;
  const length = scenario.length ?? Math.max(...steps.map(({ at, ramp = 0 }) => at + ramp));
  const { elapsed, step, loops, finished } = progress;
  const at = step === null ? "before the first step" : `step ${step + 1} of ${steps.length}`;
  const round = loop ? `, round ${loops + 1}` : "";
  return (
    <>
      {finished ? "finished" : `${at}${round}, ${elapsed.toFixed(0)} of ${length} s`}
      {!finished && <progress aria-label="Progress of the scenario" max={length} value={elapsed} />}
    </>
  );
}

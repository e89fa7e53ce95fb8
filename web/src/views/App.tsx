/** The frame around every view: the tabs, and the view of the one that is chosen. */

import type { ComponentType } from "preact";
import { PacketsView } from "./PacketsView";
import { TrafficView } from "./TrafficView";
import { currentTab, TABS, type TabId } from "./tabs";

const VIEWS: Record<TabId, ComponentType> = {
  overview: () => null,
  packets: PacketsView,
  traffic: TrafficView,
  compose: () => null,
  events: () => null,
};

export function App() {
  const View = VIEWS[currentTab.value];
  return (
    <div class="app">
      <header class="bar">
        <nav aria-label="Views">
          {TABS.map((tab) => (
            <a
              key={tab.id}
              href={`#/${tab.id}`}
              aria-current={tab.id === currentTab.value ? "page" : undefined}
            >
              {tab.label}
            </a>
          ))}
        </nav>
      </header>
      <main>
        <View />
      </main>
    </div>
  );
}

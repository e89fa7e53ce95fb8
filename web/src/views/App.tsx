/** The frame around every view: the tabs above, the view of the chosen one, the status below. */

import type { ComponentType } from "preact";
import { ComposeView } from "./ComposeView";
import { useDashboard } from "./context";
import { EventsView } from "./EventsView";
import { ImpairedLine } from "./Impaired";
import { NoticeBox } from "./NoticeBox";
import { OverviewView } from "./OverviewView";
import { PacketsView } from "./PacketsView";
import { SignInView } from "./SignInView";
import { StatusBar } from "./StatusBar";
import { TopBar } from "./TopBar";
import { currentTab, type TabId } from "./tabs";
import { later } from "./ui/later";

// The library that draws its charts is a quarter of the whole page.
const TrafficView = later(async () => (await import("./TrafficView")).TrafficView);
const VIEWS: Record<TabId, ComponentType> = {
  overview: OverviewView,
  packets: PacketsView,
  traffic: TrafficView,
  compose: ComposeView,
  events: EventsView,
};

export function App() {
  const { connection, service } = useDashboard();
  const state = connection.state.value;
  if (state.name === "signed-out") return <SignInView reason={state.reason} />;
  const View = VIEWS[currentTab.value];
  return (
    <div class="app" data-state={state.name}>
      <TopBar />
      <ImpairedLine />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <main id="view" tabIndex={0}>
        {service.system.value === null ? <p class="waiting">Connecting…</p> : <View />}
      </main>
      <StatusBar />
      <NoticeBox />
    </div>
  );
}

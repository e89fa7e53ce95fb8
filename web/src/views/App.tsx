/** The frame around every view: the tabs above, the view of the chosen one, the status below. */

import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { currentTab } from "./address";
import { useDashboard } from "./context";
import { ImpairedLine } from "./Impaired";
import { NoticeBox } from "./NoticeBox";
import { OverviewView } from "./OverviewView";
import { SignInView } from "./SignInView";
import { StatusBar } from "./StatusBar";
import { TopBar } from "./TopBar";
import type { TabId } from "./tabs";
import { titleOf } from "./title";
import { later } from "./ui/later";

// Not everyone needs these at once, and one of them has a library that draws charts.
const AccessView = later(async () => (await import("./AccessView")).AccessView);
const CapturesView = later(async () => (await import("./CapturesView")).CapturesView);
const ComposeView = later(async (dashboard) => {
  await dashboard.loadWorkbench();
  return (await import("./ComposeView")).ComposeView;
});
const ConversationsView = later(async (dashboard) => {
  await dashboard.loadWorkbench();
  return (await import("./ConversationsView")).ConversationsView;
});
const EventsView = later(async () => (await import("./EventsView")).EventsView);
const HostsView = later(async () => (await import("./HostsView")).HostsView);
const PacketsView = later(async (dashboard) => {
  await dashboard.loadWorkbench();
  return (await import("./PacketsView")).PacketsView;
});
const TrafficView = later(async () => (await import("./TrafficView")).TrafficView);
const VIEWS: Record<TabId, ComponentType> = {
  overview: OverviewView,
  packets: PacketsView,
  conversations: ConversationsView,
  captures: CapturesView,
  traffic: TrafficView,
  compose: ComposeView,
  events: EventsView,
  hosts: HostsView,
  access: AccessView,
};

export function App() {
  const dashboard = useDashboard();
  const { connection, service } = dashboard;
  const state = connection.state.value;
  const title = titleOf(dashboard);
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (state.name === "signed-out") return <SignInView reason={state.reason} />;
  const View = VIEWS[currentTab()];
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

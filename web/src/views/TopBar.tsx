/** The bar on top: the views, the documentation, the theme, the way out. */

import type { TargetedWheelEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Theme } from "../models/theme";
import { currentTab, goTo, hrefOf } from "./address";
import { useDashboard } from "./context";
import { TABS, type TabId } from "./tabs";
import { Button } from "./ui/Button";
import { Icon, type IconName } from "./ui/Icon";
import { Menu, type MenuItem, useMenu } from "./ui/Menu";
import { useMedia } from "./ui/media";

const THEME_ICONS: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

export function TopBar() {
  const { networks } = useDashboard();
  const isNarrow = useMedia("(max-width: 720px)");
  const nav = useRef<HTMLElement>(null);
  const current = currentTab();
  // Most services stand alone; where no network is joined, its tab would show nothing.
  const isShown = (tab: TabId) => tab !== "hosts" || networks.isThere.value || current === tab;
  const shown = TABS.filter(({ id }) => isShown(id));
  // On a narrow screen the tabs scroll.
  useEffect(() => {
    const link = nav.current?.querySelector("[aria-current]");
    link?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => onDigit(event, shown);
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [shown]);
  return (
    <header class="bar">
      <button type="button" class="button skip" onClick={skip}>
        Skip to content
      </button>
      <span class="brand">
        <Icon name="link" />
        <span>wintun-api</span>
      </span>
      <nav ref={nav} aria-label="Views" onWheel={scrollAcross}>
        {shown.map((tab, index) => (
          <a
            key={tab.id}
            href={hrefOf(tab.id)}
            title={`Key ${index + 1}`}
            aria-current={tab.id === current ? "page" : undefined}
          >
            {tab.label}
          </a>
        ))}
      </nav>
      {isNarrow ? <MoreMenu /> : <BarEnd />}
    </header>
  );
}

function BarEnd() {
  const { signIn, theme } = useDashboard();
  const choice = theme.choice.value;
  return (
    <div class="bar-end">
      <a class="button quiet" href="/docs" title="API reference" aria-label="API reference">
        <Icon name="book" />
      </a>
      <a class="button quiet" href="/guide" title="Guide" aria-label="Guide">
        <Icon name="help" />
      </a>
      <Button
        kind="quiet"
        icon={THEME_ICONS[choice]}
        label={`Theme: ${choice}`}
        onClick={() => theme.next()}
      />
      <Button kind="quiet" icon="signOut" label="Sign out" onClick={() => signIn.signOut()} />
    </div>
  );
}

/** The same where there is no room for it. */
function MoreMenu() {
  const { signIn, theme } = useDashboard();
  const { menu, open } = useMenu();
  const items = (): MenuItem[] => [
    { label: "API reference", onChoose: () => location.assign("/docs") },
    { label: "Guide", onChoose: () => location.assign("/guide") },
    { label: `Theme: ${theme.choice.peek()}`, onChoose: () => theme.next() },
    { label: "Sign out", apart: true, onChoose: () => signIn.signOut() },
  ];
  const name = "Guide, theme and sign-out";
  return (
    <div class="bar-end">
      <button
        type="button"
        class="button quiet"
        aria-haspopup="menu"
        aria-label={name}
        title={name}
        onClick={({ currentTarget }) => open(name, items(), currentTarget)}
      >
        <Icon name="more" />
      </button>
      <Menu menu={menu} />
    </div>
  );
}

/** A wheel that turns one way scrolls the tabs, which lie across. */
function scrollAcross({ currentTarget, deltaX, deltaY }: TargetedWheelEvent<HTMLElement>) {
  if (deltaX === 0) currentTarget.scrollLeft += deltaY;
}

/** The digits go to the views, where nobody is typing. */
function onDigit(event: KeyboardEvent, tabs: readonly { readonly id: TabId }[]): void {
  const target = event.target as HTMLElement | null;
  const typing = target?.closest("input, textarea, select, dialog, [contenteditable]") != null;
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const tab = tabs[Number(event.key) - 1];
  if (tab !== undefined) goTo(tab.id);
}

function skip(): void {
  document.getElementById("view")?.focus();
}

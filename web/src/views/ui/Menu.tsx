/** A menu at a place of the page: arrows move in it, Escape and a click elsewhere close it. */

import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface MenuItem {
  readonly label: string;
  /** The key that does the same, or what it works on; a function for what changes meanwhile. */
  readonly hint?: string | (() => string) | undefined;
  readonly disabled?: boolean;
  /** Whether a line stands above it. */
  readonly apart?: boolean;
  readonly onChoose: () => void;
}

export interface OpenMenu {
  readonly label: string;
  readonly items: readonly MenuItem[];
  /** Where its corner is, in pixels of the window. */
  readonly x: number;
  readonly y: number;
}

/** Return the place of a menu, and what opens one there. */
export function useMenu() {
  const menu: Signal<OpenMenu | null> = useSignal(null);
  /** Open it below an element, or at the pointer. */
  const open = (label: string, items: readonly MenuItem[], at: Element | MouseEvent): void => {
    if (at instanceof Element) {
      const { left, bottom } = at.getBoundingClientRect();
      menu.value = { label, items, x: left, y: bottom };
    } else {
      at.preventDefault();
      menu.value = { label, items, x: at.clientX, y: at.clientY };
    }
  };
  return { menu, open };
}

const EDGE = 4; // pixels between the menu and the edge of the window

export function Menu({ menu }: { menu: Signal<OpenMenu | null> }) {
  return menu.value === null ? null : <Opened menu={menu} shown={menu.value} />;
}

function Opened({ menu, shown }: { menu: Signal<OpenMenu | null>; shown: OpenMenu }) {
  const list = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const close = (isBack = true): void => {
    menu.value = null;
    if (isBack && opener.current instanceof HTMLElement) opener.current.focus();
  };
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    opener.current = document.activeElement;
    const { offsetWidth, offsetHeight } = element;
    const { innerWidth, innerHeight } = window;
    element.style.left = `${Math.max(EDGE, Math.min(shown.x, innerWidth - offsetWidth - EDGE))}px`;
    element.style.top = `${Math.max(EDGE, Math.min(shown.y, innerHeight - offsetHeight - EDGE))}px`;
    buttonsOf(element)[0]?.focus();
  }, [shown]);
  // At once: the window may change before the next frame.
  useLayoutEffect(() => {
    const leave = (): void => {
      menu.value = null;
    };
    const away = (event: Event): void => {
      if (!list.current?.contains(event.target as Node)) leave();
    };
    document.addEventListener("pointerdown", away, { capture: true });
    // Its place is of the window as it was.
    window.addEventListener("resize", leave);
    return () => {
      document.removeEventListener("pointerdown", away, { capture: true });
      window.removeEventListener("resize", leave);
    };
  }, [menu]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = buttonsOf(list.current);
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const places: Record<string, number> = {
      ArrowDown: (at + 1) % buttons.length,
      ArrowUp: (at + buttons.length - 1) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    };
    const place = places[event.key];
    if (place !== undefined) buttons[place]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={list}
      class="menu"
      role="menu"
      aria-label={shown.label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      {shown.items.map((item) => (
        <button
          key={item.label}
          type="button"
          class={item.apart ? "apart" : ""}
          role="menuitem"
          disabled={item.disabled}
          tabIndex={-1}
          onClick={() => {
            close();
            item.onChoose();
          }}
        >
          <span>{item.label}</span>
          {item.hint && (
            <span class="hint">{typeof item.hint === "string" ? item.hint : item.hint()}</span>
          )}
        </button>
      ))}
    </div>
  );
}

function buttonsOf(list: HTMLElement | null): HTMLButtonElement[] {
  return [...(list?.querySelectorAll<HTMLButtonElement>("button:enabled") ?? [])];
}

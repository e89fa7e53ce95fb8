/** A menu, and what closes it. */

import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { Menu, type OpenMenu } from "../../src/views/ui/Menu";

const host = document.createElement("div");
document.body.append(host);

afterEach(() => render(null, host));

async function opened() {
  const items = [{ label: "Mark", onChoose: () => undefined }];
  const menu = signal<OpenMenu | null>({ label: "Actions", items, x: 0, y: 0 });
  await act(() => render(<Menu menu={menu} />, host));
  return menu;
}

test("a menu closes when the window changes its size", async () => {
  const menu = await opened();
  window.dispatchEvent(new Event("resize"));
  expect(menu.value).toBe(null);
});

test("a menu closes by a click elsewhere, and not by one in it", async () => {
  const menu = await opened();
  host.querySelector("button")?.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(menu.value).not.toBe(null);
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(menu.value).toBe(null);
});

test("a menu goes on to say how many packets an item is for", async () => {
  const packets = signal(1);
  const items = [{ label: "Save", hint: () => String(packets.value), onChoose: () => undefined }];
  const menu = signal<OpenMenu | null>({ label: "Save", items, x: 0, y: 0 });
  await act(() => render(<Menu menu={menu} />, host));
  await act(() => {
    packets.value = 2;
  });
  expect(host.querySelector(".hint")?.textContent).toBe("2");
});

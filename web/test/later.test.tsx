import { signal } from "@preact/signals";
import { type ComponentChild, render } from "preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Dashboard } from "../src/models/dashboard";
import { DashboardContext } from "../src/views/context";
import { later } from "../src/views/ui/later";

const place = document.createElement("div");
document.body.append(place);
const isAway = signal(false);
const dashboard = { connection: { isAway } } as unknown as Dashboard;
beforeEach(() => {
  isAway.value = false;
});
afterEach(() => render(null, place));

const Greeting = ({ name }: { name: string }) => <p>Hello {name}</p>;
const text = () => place.textContent;
const show = (part: ComponentChild) =>
  render(<DashboardContext.Provider value={dashboard}>{part}</DashboardContext.Provider>, place);

test("a part is loaded once, when it is first shown", async () => {
  let loads = 0;
  const Part = later(async () => {
    loads++;
    return Greeting;
  });
  expect(loads).toBe(0);
  show(<Part name="there" />);
  expect(text()).toBe("Loading…");
  await expect.poll(text).toBe("Hello there");
  render(null, place);
  show(<Part name="again" />);
  expect([text(), loads]).toEqual(["Hello again", 1]);
});

test("a part that could not be loaded is asked for again", async () => {
  let fails = true;
  const Part = later(async () => {
    if (fails) throw new TypeError("Failed to fetch");
    return Greeting;
  });
  show(<Part name="there" />);
  await expect.poll(text).toContain("could not be loaded");
  expect(place.querySelector("[role=alert]")).not.toBeNull();
  fails = false;
  place.querySelector("button")?.click();
  await expect.poll(text).toBe("Hello there");
});

test("a part that the service was not there to send comes when it is there again", async () => {
  let loads = 0;
  const Part = later(async () => {
    loads++;
    if (isAway.value) throw new TypeError("Failed to fetch");
    return Greeting;
  });
  isAway.value = true;
  show(<Part name="there" />);
  await expect.poll(text).toContain("when the service is there again");
  expect(place.querySelector("button")).toBeNull();
  isAway.value = false;
  await expect.poll(text).toBe("Hello there");
  expect(loads).toBe(2);
});

import { render } from "preact";
import { afterEach, expect, test } from "vitest";
import { later } from "../src/views/ui/later";

const place = document.createElement("div");
document.body.append(place);
afterEach(() => render(null, place));

const Greeting = ({ name }: { name: string }) => <p>Hello {name}</p>;
const text = () => place.textContent;

test("a part is loaded once, when it is first shown", async () => {
  let loads = 0;
  const Part = later(async () => {
    loads++;
    return Greeting;
  });
  expect(loads).toBe(0);
  render(<Part name="there" />, place);
  expect(text()).toBe("Loading…");
  await expect.poll(text).toBe("Hello there");
  render(null, place);
  render(<Part name="again" />, place);
  expect([text(), loads]).toEqual(["Hello again", 1]);
});

test("a part that could not be loaded is asked for again", async () => {
  let fails = true;
  const Part = later(async () => {
    if (fails) throw new TypeError("Failed to fetch");
    return Greeting;
  });
  render(<Part name="there" />, place);
  await expect.poll(text).toContain("could not be loaded");
  expect(place.querySelector("[role=alert]")).not.toBeNull();
  fails = false;
  place.querySelector("button")?.click();
  await expect.poll(text).toBe("Hello there");
});

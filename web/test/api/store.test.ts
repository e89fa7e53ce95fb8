import { afterEach, describe, expect, it, vi } from "vitest";
import { BrowserStore } from "../../src/api/store";

const NAME = "store.test";

describe("the store", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    localStorage.removeItem(NAME);
  });

  const block = (...methods: ("getItem" | "setItem" | "removeItem")[]) => {
    for (const method of methods) {
      vi.spyOn(Storage.prototype, method).mockImplementation(() => {
        throw new DOMException("Access is denied.", "SecurityError");
      });
    }
  };

  it("outlives the page, and sees what another tab changed", () => {
    new BrowserStore().setItem(NAME, "a");
    const other = new BrowserStore();
    expect(other.getItem(NAME)).toBe("a");
    new BrowserStore().setItem(NAME, null);
    expect(other.getItem(NAME)).toBeNull();
  });

  it("keeps values itself where the browser refuses to", () => {
    block("getItem", "setItem", "removeItem");
    const store = new BrowserStore();
    expect(store.getItem(NAME)).toBeNull();
    store.setItem(NAME, "a");
    expect(store.getItem(NAME)).toBe("a");
    store.setItem(NAME, null);
    expect(store.getItem(NAME)).toBeNull();
  });

  it("does not return to an older value when the storage is full", () => {
    localStorage.setItem(NAME, "old");
    block("setItem");
    const store = new BrowserStore();
    store.setItem(NAME, "new");
    expect(store.getItem(NAME)).toBe("new");
  });
});

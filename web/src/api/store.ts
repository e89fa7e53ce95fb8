/** What outlives the page. */

export interface Store {
  getItem(name: string): string | null;
  /** Keep a value under a name; null removes it. */
  setItem(name: string, value: string | null): void;
}

/** The browser's storage. What it does not take is kept here, until the page is loaded again. */
export class BrowserStore implements Store {
  private readonly memory = new Map<string, string | null>();

  getItem(name: string): string | null {
    const held = this.memory.get(name);
    if (held !== undefined) return held;
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  setItem(name: string, value: string | null): void {
    this.memory.delete(name);
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      this.memory.set(name, value); // blocked, or full
    }
  }
}

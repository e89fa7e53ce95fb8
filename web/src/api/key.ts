/**
 * The key: the second secret of a browser's sign-in.
 *
 * A browser sends the cookie to every port of a host, so another program on this computer can get
 * it. The key is stored for this origin alone, port included, and this page alone sends it.
 */

/** Where it is stored. */
export const KEY = "wintun-api.key";

const HEADER = "X-Wintun-Api-Key";
const OFFER = "key.wintun-api.";

/** Return the headers that carry a key; none for null. */
export function keyHeaders(key: string | null): Record<string, string> {
  return key === null ? {} : { [HEADER]: key };
}

/** Return the WebSocket subprotocols that carry a key; none for null. */
export function keyOffers(key: string | null): string[] {
  if (key === null) return [];
  const text = btoa(key).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return [OFFER + text];
}

/**
 * Take the key that a sign-in left in the address: it is not in the address any more afterwards.
 * Return null when the address has none.
 */
export function takeKey(): string | null {
  const { hash, pathname, search } = window.location;
  if (!hash.startsWith("#key=")) return null;
  window.history.replaceState(null, "", pathname + search);
  return /^[\w.~-]{1,128}$/.exec(hash.slice(5))?.[0] ?? null;
}

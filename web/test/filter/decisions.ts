/** Where a filter finds something else than Wireshark 4.0 does, and why that is wanted. */

export interface Decision {
  readonly reason: string;
  readonly filters: readonly string[];
}

export const DECISIONS: readonly Decision[] = [];

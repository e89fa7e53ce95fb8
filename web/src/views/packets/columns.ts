/** The columns of the packet table, in order: the class of their cells, and their heads. */

export const COLUMNS = [
  ["number", "No."],
  ["time", "Time"],
  ["direction", "Direction"],
  ["source", "Source"],
  ["destination", "Destination"],
  ["protocol", "Protocol"],
  ["length", "Bytes"],
  ["info", "Info"],
] as const;

export type ColumnName = (typeof COLUMNS)[number][0];

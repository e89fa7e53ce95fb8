/** The head of a table: its columns by title, with the class that their cells have. */

import type { ComponentChildren } from "preact";

export type Column = readonly [title: ComponentChildren, kind?: string];

export function TableHead({ columns }: { columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map(([title, kind], index) => (
          <th key={index} scope="col" class={kind}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Icons, drawn here on a grid of 16; each takes the colour of its text. */

const PATHS = {
  link: "M2 5.5h8l-2.5-2.5M14 10.5H6l2.5 2.5",
  plus: "M8 3v10M3 8h10",
  play: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  edit: "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.6 4.2l2.2 2.2",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M7 7v4M9 7v4",
  open: "M2 12.5v-9h4l1.5 2H14v7z",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  close: "M4 4l8 8M12 4l-8 8",
  send: "M2.5 8h10.5M9 4l4 4-4 4",
  signOut: "M7 3H3v10h4M7 8h7M11 5l3 3-3 3",
  book: "M8 4L3 3v9l5 1 5-1V3L8 4v9",
  help: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M6 6.3a2 2 0 1 1 2 2v1M8 11v.5",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v2M8 13v2M1 8h2M13 8h2",
  moon: "M12.8 9.8A5.3 5.3 0 0 1 6.2 3.2a5.3 5.3 0 1 0 6.6 6.6z",
  system: "M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3",
  warning: "M8 2.5l6 11H2zM8 6.5v3.5M8 11.6v.4",
  table: "M2.5 3h11v10h-11zM2.5 6h11M6 6v7",
  pause: "M5 3.5v9M11 3.5v9",
  follow: "M4 3.5l4 4 4-4M4 8.5l4 4 4-4",
  clear: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6",
  history: "M3.2 5.5A5.5 5.5 0 1 1 2.5 8M3 2.5v3h3M8 5v3.2l2.2 1.3",
  record: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  save: "M8 2v7M5 6l3 3 3-3M3 11v2h10v-2",
  find: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3.5 3.5",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  back: "M13.5 8H3M7 4L3 8l4 4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  sliders: "M2 5h7M12 5h2M2 11h2M7 11h7M9 3v4M5 9v4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

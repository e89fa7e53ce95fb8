/** Icons, drawn here on a grid of 16; each takes the colour of its text. */

const PATHS = {
  link: "M2 5.5h8l-2.5-2.5M14 10.5H6l2.5 2.5",
  plus: "M8 3v10M3 8h10",
  play: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  edit: "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.6 4.2l2.2 2.2",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M7 7v4M9 7v4",
  release: "M6 3.5H3.5v9H6M7 8h6.5M11 5.5L13.5 8 11 10.5",
  open: "M3.5 6.5v6h9v-6M8 2.5v6.5M5.5 6.5L8 9l2.5-2.5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  close: "M4 4l8 8M12 4l-8 8",
  send: "M2.5 8h10.5M9 4l4 4-4 4",
  signOut: "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
  book: "M8 3.5C6 2.3 4 2.3 2.5 2.8v10C4 12.3 6 12.3 8 13.5c2-1.2 4-1.2 5.5-.7v-10C12 2.3 10 2.3 8 3.5zM8 3.5v10",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M12.8 9.8A5.3 5.3 0 0 1 6.2 3.2a5.3 5.3 0 1 0 6.6 6.6z",
  system: "M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3",
  warning: "M8 2.5l6 11H2zM8 6.5v3.5M8 11.6v.4",
  keyboard: "M1.5 4h13v8h-13zM4 6.5h.5M7 6.5h.5M10 6.5h.5M4.5 9.5h7",
  table: "M2.5 3h11v10h-11zM2.5 6h11M6 6v7",
  pause: "M5 3.5v9M11 3.5v9",
  follow: "M8 2.5v7.5M4.5 7L8 10.5 11.5 7M3 13.5h10",
  clear: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6",
  save: "M8 2.5v7M5 7l3 3 3-3M2.5 10.5v3h11v-3",
  sliders: "M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M9 2.8v3.4M5 9.8v3.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

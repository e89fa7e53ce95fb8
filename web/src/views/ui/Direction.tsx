/** The two ways of a packet, in the words of the page, and what these mean. */

export type Way = "received" | "injected";

interface Words {
  readonly arrow: string;
  readonly label: string;
  readonly about: string;
}

export const WAYS: Readonly<Record<Way, Words>> = {
  received: {
    arrow: "→",
    label: "From host",
    about:
      "Packets that this computer sent into the adapter. The service received them, so the API calls them received.",
  },
  injected: {
    arrow: "←",
    label: "To host",
    about:
      "Packets that a program injected for this computer, as if they had come from the network. The API calls them injected.",
  },
};

/** "→ From host" in the colour of its direction; the arrow alone where `short`. */
export function Direction({ way, short = false }: { way: Way; short?: boolean }) {
  const { arrow, label, about } = WAYS[way];
  return (
    <span class={`direction ${way}`} title={about}>
      <span aria-hidden="true">{arrow}</span> {short ? <span class="unseen">{label}</span> : label}
    </span>
  );
}

/** A button that explains both. */
export function DirectionLegend() {
  return (
    <details
      class="legend"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !event.currentTarget.open) return;
        event.stopPropagation();
        event.currentTarget.open = false;
      }}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
          event.currentTarget.open = false;
        }
      }}
    >
      <summary title="What From host and To host mean">
        <span aria-hidden="true">
          <span class="received">→</span> <span class="injected">←</span>
        </span>
        Directions
      </summary>
      <dl class="panel">
        {(["received", "injected"] as const).map((way) => (
          <div key={way}>
            <dt>
              <Direction way={way} />
            </dt>
            <dd>{WAYS[way].about}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

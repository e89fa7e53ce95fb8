/** A name that somebody gave: it cannot reorder what is around it, and hides no character. */

import { plainName, visibleParts } from "../../models/visible";

interface Props {
  readonly of: string;
  /** Cut it where there is no room; the whole is its tooltip. */
  readonly cut?: boolean;
}

export function Name({ of, cut = false }: Props) {
  return (
    <bdi class={cut ? "name cut" : "name"} title={cut ? plainName(of) : undefined}>
      {visibleParts(of).map(({ text, isCode }, index) =>
        isCode ? (
          <span key={index} class="code-point" title="A character that cannot be seen">
            {text}
          </span>
        ) : (
          text
        ),
      )}
    </bdi>
  );
}

/** A button; without a text its label is its name and its tooltip. */

import type { ComponentChildren } from "preact";
import { useDashboard } from "../context";
import { Icon, type IconName } from "./Icon";

interface Props {
  readonly icon?: IconName | undefined;
  readonly label?: string;
  /** A tooltip where the text is not enough: why it is disabled, say. */
  readonly title?: string | undefined;
  readonly children?: ComponentChildren;
  readonly kind?: "plain" | "primary" | "danger" | "quiet";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  /** It asks the service for something, so that it waits while the service is away. */
  readonly online?: boolean;
  readonly pressed?: boolean;
  /** Whether what it opens is open. */
  readonly expanded?: boolean;
  readonly onClick?: () => void;
}

export function Button({ icon, label, children, kind = "plain", type = "button", ...rest }: Props) {
  const { disabled = false, online = false, pressed, expanded, title = label, onClick } = rest;
  const { connection } = useDashboard();
  const isAway = online && connection.isAway.value;
  return (
    <button
      type={type}
      class={`button ${kind}`}
      disabled={disabled || isAway}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      title={isAway ? "The page is not connected to the service." : title}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

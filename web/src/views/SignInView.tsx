/** The page for a browser that is not signed in: why, and a place for the token. */

import { useState } from "preact/hooks";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { Field } from "./ui/Field";
import { Icon } from "./ui/Icon";

export function SignInView({ reason }: { reason: string }) {
  const { signIn } = useDashboard();
  const [token, setToken] = useState("");
  return (
    <main class="sign-in">
      <form
        class="panel"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void signIn.signIn(token);
        }}
      >
        <h1 class="brand">
          <Icon name="link" />
          <span>wintun-api</span>
        </h1>
        <p>{reason}</p>
        <Field
          label="Token"
          type="password"
          mono
          autoFocus
          value={token}
          onInput={setToken}
          error={signIn.error.value}
          hint="The token, or the whole address it came in."
        />
        <Button type="submit" kind="primary" disabled={signIn.busy.value}>
          {signIn.busy.value ? "Signing in…" : "Sign in"}
        </Button>
        <p class="soft">
          <code>wintun-api serve</code> names its token file when it starts;{" "}
          <code>wintun-api demo</code> prints the token. Programs send it as{" "}
          <code>Authorization: Bearer</code>.
        </p>
      </form>
    </main>
  );
}

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
          hint="Paste the token, or the whole address that contains it."
        />
        <Button type="submit" kind="primary" disabled={signIn.busy.value}>
          {signIn.busy.value ? "Signing in…" : "Sign in"}
        </Button>
        {signIn.isHeld.value && (
          <Button icon="signOut" onClick={() => void signIn.signOut()}>
            Sign out
          </Button>
        )}
        <p class="soft">
          <strong>Where is the token?</strong> <code>wintun-api serve</code> says at its start which
          file it is in. <code>wintun-api demo</code> prints it.
        </p>
      </form>
    </main>
  );
}

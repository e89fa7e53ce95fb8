/** Put a text on the clipboard, and say whether that worked. */

import type { NoticesModel } from "../../models/notices";

/** Return a function that copies a text and says `done` then. */
export function useCopying(notices: NoticesModel): (text: string, done: string) => void {
  return (text, done) => {
    // A page that came over plain HTTP from another computer has no clipboard.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard };
    if (clipboard === undefined) {
      notices.say("This browser allows copying only on a page that came over HTTPS.");
      return;
    }
    clipboard.writeText(text).then(
      () => notices.say(done),
      () => notices.say("The browser did not allow copying."),
    );
  };
}

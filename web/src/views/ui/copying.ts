/** Put a text on the clipboard, and say whether that worked. */

import type { NoticesModel } from "../../models/notices";
import { copyText } from "./clipboard";

/** Return a function that copies a text and says `done` then. */
export function useCopying(notices: NoticesModel): (text: string, done: string) => void {
  return (text, done) => {
    void copyText(text).then((copied) =>
      notices.say(copied ? done : "The browser did not allow copying."),
    );
  };
}

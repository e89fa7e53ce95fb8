/**
 * The models that take packets apart or put them together. They are loaded with the views that show
 * them, since the page opens sooner without the decoder.
 */

import { effect, untracked } from "@preact/signals";
import { AnswersModel } from "./answers";
import type { CaptureModel } from "./capture";
import { ComposeModel } from "./compose";
import { ConversationListModel } from "./conversation-list";
import { FollowModel } from "./follow";
import { PacketTableModel } from "./packet-table";

export class Workbench {
  readonly table: PacketTableModel;
  readonly compose = new ComposeModel();
  readonly answers = new AnswersModel();
  readonly conversations: ConversationListModel;
  /** What is being followed, over whichever view. */
  readonly follow: FollowModel;

  constructor(capture: CaptureModel) {
    this.table = new PacketTableModel(capture, (frame) => requestAnimationFrame(frame));
    this.conversations = new ConversationListModel(capture);
    this.follow = new FollowModel(capture.engine);
    effect(() => {
      void this.table.version.value;
      untracked(() => this.answers.look(capture.live));
    });
  }
}

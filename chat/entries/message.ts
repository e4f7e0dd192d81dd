import type { ReceiveMessage, SendMessage } from "../protocol.ts";
import type { CommandBase, Kind } from "./kind.ts";

/** A message. It begins a document, which later entries change. */
export const message: Kind<SendMessage & CommandBase, ReceiveMessage> = {
  asks: "send_message",
  tells: "receive_message",
  countsAs: "messages",
  whileLocked: false,
  fixed: ["from"],
  decide: ({ from, text }) => ({ fields: { from, text } }),
  begin: ({ text }) => ({ text: text as string }),
  inCatchUp({ text, edited, deleted }) {
    return {
      ...(text !== undefined && { text }),
      ...(edited !== undefined && { edited }),
      ...(deleted && { deleted }),
    };
  },
  present: (document) => ({ ...(document ?? { deleted: true }) }),
};

import type { ReceiveMessage, SendMessage } from "../protocol.ts";
import type { CommandBase, Kind } from "./kind.ts";
import { shownReactions } from "./reaction.ts";

/** A message. It begins a document, which later entries change. */
export const message: Kind<SendMessage & CommandBase, ReceiveMessage> = {
  asks: "send_message",
  tells: "receive_message",
  countsAs: "messages",
  whileLocked: false,
  fixed: ["from", "reply_to"],
  decide: ({ from, reply_to, text }) => ({ fields: { from, ...(reply_to !== undefined && { reply_to }), text } }),
  begin: ({ text }) => ({ text: text as string }),
  inCatchUp({ text, edited, deleted }) {
    return {
      ...(text !== undefined && { text }),
      ...(edited !== undefined && { edited }),
      ...(deleted && { deleted }),
    };
  },
  present({ given: _, reactions, ...document } = { deleted: true }) {
    return { ...document, ...(reactions && { reactions: shownReactions(reactions) }) };
  },
};

import type { EditMessage, MessageEdited } from "../protocol.ts";
import type { CommandBase, Kind } from "./kind.ts";

/** Gives a message new words. Every edit shows the newest words, because older ones are kept nowhere. */
export const edit: Kind<EditMessage & CommandBase, MessageEdited> = {
  asks: "edit_message",
  tells: "message_edited",
  countsAs: "messages",
  who: "author",
  whileLocked: false,
  showsWords: true,
  decide: ({ text }) => ({ fields: { text } }),
  apply: (document, { text, date }) => ({ ...document, text, edited: date }),
  present: (document) => ({ text: document?.text ?? "" }),
};

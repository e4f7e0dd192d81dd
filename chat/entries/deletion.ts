import type { DeleteMessage, MessageDeleted } from "../protocol.ts";
import type { CommandBase, Kind } from "./kind.ts";

/** Deletes a message: its place and its author stay, its words are erased. */
export const deletion: Kind<DeleteMessage & CommandBase, MessageDeleted> = {
  asks: "delete_message",
  tells: "message_deleted",
  countsAs: "messages",
  who: "author",
  byModerator: true,
  whileLocked: true,
  erases: true,
  decide: () => ({ fields: {} }),
  apply: ({ edited }) => ({ ...(edited !== undefined && { edited }), deleted: true }),
};

import type { Entry } from "../protocol.ts";
import { deletion } from "./deletion.ts";
import { edit } from "./edit.ts";
import type { Kind } from "./kind.ts";
import { message } from "./message.ts";

/** Every kind of entry, by the action by which it is told. */
export const KINDS: { readonly [Action in Entry["action"]]: Kind<never, never> } = {
  receive_message: message,
  message_edited: edit,
  message_deleted: deletion,
};

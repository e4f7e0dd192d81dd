import assert from "node:assert/strict";
import { ChatError } from "../chat/errors.ts";
import type { ClusterEvent } from "../chat/storage.ts";
import { createChat } from "./chat.ts";

/** One chat with its moderator, and the list of its rooms. */
export function createOne() {
  const { storage, clock, chat } = createChat();
  return { storage, clock, chat, list: chat.directory, moderator: chat.moderator };
}

/** Two isolates on one store. @param events whether they hear each other's */
export function createTwo(events: boolean) {
  const listeners: ((event: ClusterEvent) => void)[] = [];
  const { storage, clock } = createChat();
  storage.onEvent = (listener) => void listeners.push(listener);
  const [{ chat: first }, { chat: second }] = [createChat({ storage, clock }), createChat({ storage, clock })];
  if (events) storage.publish = (event) => listeners.forEach((listener) => listener(event));
  return { storage, clock, first, second, moderator: first.moderator };
}

/** What something was refused with; fails if it was not. */
export async function refusal(promise: Promise<unknown>): Promise<ChatError> {
  return await promise.then(() => assert.fail("it was not refused"), (error) => {
    if (error instanceof ChatError) return error;
    throw error;
  });
}

/** Ways of reading a log that every store offers through its pages. */
import { ChatError } from "../errors.ts";
import type { Position, ReceiveMessage } from "../protocol.ts";
import { type History, type MessageLog, PAGE_BYTES } from "../storage.ts";

const encoder = new TextEncoder();

/** Times that the halves of a page are read before it is answered with halves that may be a moment apart. */
const ATTEMPTS = 5;

/**
 * The message with this `seq`, in its present state.
 * @throws {ChatError} `not_found` if the room has none, `unavailable`
 */
export async function messageAt(log: MessageLog, room: string, seq: number): Promise<
  Position & {
    message: ReceiveMessage;
  }
> {
  const { messages: [message], ...position } = await log.history(room, { after: Math.max(0, seq - 1), limit: 1 });
  if (message?.seq !== seq) throw new ChatError("not_found", "There is no such message, or it is not held any more.");
  return { epoch: position.epoch, seq: position.seq, message };
}

/**
 * A page with a place in its middle: half of it before, the other half from there on. `more`: there are older messages.
 * @throws {ChatError} `unavailable`
 */
export async function historyAround(log: MessageLog, room: string, seq: number, limit: number): Promise<History> {
  const before = Math.floor(limit / 2);
  for (let attempt = 1;; attempt++) {
    const [older, newer] = await Promise.all([
      // One at least, or nobody knows whether there are any.
      log.history(room, { before: seq, limit: Math.max(1, before) }),
      log.history(room, { after: Math.max(0, seq - 1), limit: limit - before }),
    ]);
    // Whoever applies later entries to the page must know of which head it is.
    const isOfOneHead = older.epoch === newer.epoch && older.seq === newer.seq;
    if (!isOfOneHead && attempt < ATTEMPTS) continue;
    const all = [...older.messages, ...newer.messages];
    const messages = before === 0 ? newer.messages : middleOf(all, older.messages.length);
    const more = messages[0] !== all[0] || older.more;
    return { epoch: newer.epoch, seq: Math.min(newer.seq, older.seq), messages, more };
  }
}

/** What fits into one page, without what is furthest from its middle. */
function middleOf(messages: readonly ReceiveMessage[], middle: number): ReceiveMessage[] {
  const sizes = messages.map((message) => encoder.encode(JSON.stringify(message)).length);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  let [from, to] = [0, messages.length];
  while (bytes > PAGE_BYTES && to - from > 1) bytes -= middle - from >= to - middle ? sizes[from++] : sizes[--to];
  return messages.slice(from, to);
}

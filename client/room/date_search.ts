import type { ReceiveMessage } from "../../chat/protocol.ts";

/**
 * The first message of a time or later. A room's dates never decrease, so half of what is left is excluded by each
 * request: 17 for 100,000 entries.
 * @param firstAfter the first message after a `seq`; undefined if there is none
 * @param head the last `seq` of the room
 * @param date milliseconds since 1970
 * @returns its `seq`; null if all messages are older
 */
export async function findByDate(
  firstAfter: (seq: number) => Promise<ReceiveMessage | undefined>,
  head: number,
  date: number,
): Promise<number | null> {
  let found: number | null = null;
  // The first message after a `seq` below `low` is too old; the first after one from `high` on is too late to be it.
  let [low, high] = [0, head];
  while (low < high) {
    const middle = (low + high) >> 1;
    const message = await firstAfter(middle);
    if (!message || message.date >= date) {
      found = message?.seq ?? found;
      high = middle;
    } else low = message.seq;
  }
  return found;
}

/** How lists of Deno KV are read: in steps, merged, and no further than a page needs. */
import { PAGE_BYTES } from "../../chat/storage.ts";
import type { Kept } from "./append.ts";

/** The rows in groups of `size`; the last one may have fewer. */
export async function* inSteps<Row>(rows: AsyncIterable<Row>, size: number): AsyncGenerator<Row[]> {
  let step: Row[] = [];
  for await (const row of rows) {
    if (step.push(row) < size) continue;
    yield step;
    step = [];
  }
  if (step.length > 0) yield step;
}

/** Messages and the entries about them, each in the order of their places, as one list in that order. */
export async function* inOrder(messages: AsyncGenerator<Kept>, changes: AsyncGenerator<Kept>): AsyncGenerator<Kept> {
  let [message, change] = await Promise.all([messages.next(), changes.next()]);
  for (;;) {
    if (!message.done && (change.done || message.value.entry.seq < change.value.entry.seq)) {
      yield message.value;
      message = await messages.next();
    } else if (!change.done) {
      yield change.value;
      change = await changes.next();
    } else return;
  }
}

/** As many rows as a page can need. */
export async function gather<Row>(rows: AsyncIterable<Row>, limit: number): Promise<Row[]> {
  const gathered: Row[] = [];
  let length = 0;
  for await (const row of rows) {
    gathered.push(row);
    // JSON has at least as many bytes as letters. A row has more of it than what is shown, hence twice.
    length += JSON.stringify(row).length;
    if (gathered.length === limit || length > 2 * PAGE_BYTES) break;
  }
  return gathered;
}

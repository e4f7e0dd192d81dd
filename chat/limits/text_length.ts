import { ChatError } from "../errors.ts";

/**
 * Checks the text of a message, which is stored exactly as sent.
 * @param limit code points
 * @throws {ChatError} `text_empty`, `text_too_long`
 */
export function checkText(text: string, limit: number): void {
  if (text.trim() === "") throw new ChatError("text_empty", "The text is empty. Write something first.");
  if (text.length > limit && codePoints(text) > limit) {
    throw new ChatError(
      "text_too_long",
      `A message has at most ${limit} characters. Make it shorter or send it in parts.`,
    );
  }
}

/** How many code points a text has: what its author would count as characters, give or take emoji. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

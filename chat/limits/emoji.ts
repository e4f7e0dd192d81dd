import { ChatError } from "../errors.ts";

/** UTF-16 units of the longest emoji: a family of four, each with a skin colour of its own, has fewer. */
const LONGEST = 64;

/**
 * Checks that this is one emoji of Unicode's RGI set ("recommended for general interchange"), and nothing else.
 * @throws {ChatError} `bad_emoji`
 */
export function checkEmoji(emoji: string): void {
  if (emoji.length > LONGEST || !/^\p{RGI_Emoji}$/v.test(emoji)) {
    throw new ChatError("bad_emoji", 'A reaction is one emoji, such as "👍". Choose one.');
  }
}

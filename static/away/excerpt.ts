/** Characters of a message that a notification shows: more than any system has room for. */
const LENGTH = 120;

/** How a message begins, in one line and as its author typed it. */
export function excerpt(text: string): string {
  const characters = [...text.replaceAll(/\s+/g, " ").trim()];
  return characters.length <= LENGTH ? characters.join("") : `${characters.slice(0, LENGTH).join("").trimEnd()}…`;
}

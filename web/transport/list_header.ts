/**
 * The members of a header that holds a list, as RFC 9110 has them (5.6.1): whatever white space around the commas, and
 * none that is empty.
 */
export function listIn(header: string | null): string[] {
  return (header ?? "").split(",").map(withoutBlanks).filter((member) => member !== "");
}

/**
 * A text without the blanks and tabs around it. `trim` would take away what is no white space in a header too (U+00A0),
 * and the time of a regular expression goes with the square of the blanks inside: 60,000 of them kept all waiting for 1.5 s.
 */
export function withoutBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (start < end && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t";
}

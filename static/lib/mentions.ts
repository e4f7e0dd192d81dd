/** Whether a text mentions somebody by their name. */
export function mentions(text: string, name: string): boolean {
  return text.toLowerCase().includes(`@${name.toLowerCase()}`);
}

/**
 * Does something that complains on the error output, and keeps that out of the test's.
 * @param work is given a function that tells what was said so far
 * @returns what was said
 */
export async function quietly(work: (said: () => string) => Promise<unknown>): Promise<string> {
  const words: unknown[] = [];
  const said = () => words.join(" ");
  const { error } = console;
  console.error = (...what) => words.push(...what);
  try {
    await work(said);
  } finally {
    console.error = error;
  }
  return said();
}

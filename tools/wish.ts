/** What the words of a command ask for, or why that can't be done: a sentence for whoever wrote them. */
export type Parsed<Wish extends object> = Wish | "help" | { mistake: string };

/** What was asked for. If that is the help, or can't be done, it says so and ends the process, with 0 or with 1. */
export function wishOf<Wish extends object>(parsed: Parsed<Wish>, help: string): Wish {
  if (parsed === "help") {
    console.log(help);
    Deno.exit(0);
  }
  if ("mistake" in parsed) {
    console.error(parsed.mistake);
    Deno.exit(1);
  }
  return parsed;
}

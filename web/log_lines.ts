import { inspect } from "node:util";

/** By what the server says something, how serious that makes it, and where it goes. */
const LEVELS = [["log", "info", "stdout"], ["warn", "warn", "stderr"], ["error", "error", "stderr"]] as const;

type Speaker = Pick<Console, "log" | "warn" | "error">;

/**
 * Has everything that is said from now on written as one line of JSON each, `time`, `level`, `message` and what went wrong
 * as `error`, in the way of those who collect logs. What is such a line already, as the journal's are, stays as it is.
 * @param isRead whether people read this output as it comes: then it stays sentences
 */
export function writeLogLines(
  console: Speaker,
  isRead: (output: "stdout" | "stderr") => boolean,
  now: () => number,
): void {
  for (const [method, level, output] of LEVELS) {
    if (isRead(output)) continue;
    const write = console[method].bind(console);
    console[method] = (...said: unknown[]) => {
      if (said.length === 1 && typeof said[0] === "string" && said[0].startsWith("{")) return write(said[0]);
      const errors = said.filter((part) => part instanceof Error);
      const message = said.filter((part) => !(part instanceof Error))
        .map((part) => typeof part === "string" ? part : inspect(part)).join(" ").replace(/:$/, "");
      const error = errors.length === 0 ? undefined : errors.map((each) => each.stack ?? String(each)).join("\n");
      write(JSON.stringify({ time: new Date(now()).toISOString(), level, message, error }));
    };
  }
}

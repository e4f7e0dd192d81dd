import { inspect } from "node:util";
import type { Clock } from "../../chat/clock.ts";
import { LogSampler } from "./log_sampler.ts";

/** By what the server says something, how serious that makes it, and where it goes. */
const LEVELS = [["log", "info", "stdout"], ["warn", "warn", "stderr"], ["error", "error", "stderr"]] as const;
/** Characters of a message, and of what went wrong with its stack; longer ones are cut. */
const LENGTH = 4_000;

type Speaker = Pick<Console, "log" | "warn" | "error">;

/**
 * Has everything that is said from now on written as one line of JSON each, `time`, `level`, `message` and what went wrong
 * as `error`, in the way of those who collect logs. What is such a line already, as the journal's are, stays as it is.
 * Of warnings and errors that come again and again some are written and the rest is counted, in `left_out`: anybody may
 * be able to cause them.
 * @param isRead whether people read this output as it comes: then it stays sentences
 * @returns says what is still to be said of what was left out
 */
export function writeLogLines(
  console: Speaker,
  isRead: (output: "stdout" | "stderr") => boolean,
  clock: Clock,
): () => void {
  const samplers: LogSampler[] = [];
  for (const [method, level, output] of LEVELS) {
    const write = console[method].bind(console);
    const line = (message: string, more: { error?: string; left_out?: number }) =>
      write(JSON.stringify({ time: new Date(clock.now()).toISOString(), level, message, ...more }));
    const sampler = new LogSampler(clock, (message, left_out) => {
      if (isRead(output)) write(`${message}: ${left_out} more times`);
      else line(message, { left_out });
    });
    samplers.push(sampler);
    console[method] = (...said: unknown[]) => {
      if (said.length === 1 && typeof said[0] === "string" && said[0].startsWith("{")) return write(said[0]);
      const message = messageOf(said);
      if (level !== "info" && !sampler.admits(message)) return;
      if (isRead(output)) return write(...said);
      const errors = said.filter((part) => part instanceof Error);
      const error = errors.length === 0 ? undefined : errors.map((each) => each.stack ?? String(each)).join("\n");
      line(message, { error: error?.slice(0, LENGTH) });
    };
  }
  return () => samplers.forEach((sampler) => sampler.close());
}

/** What was said, but for the errors. */
function messageOf(said: unknown[]): string {
  const words = said.filter((part) => !(part instanceof Error)).map((part) =>
    typeof part === "string" ? part : inspect(part)
  );
  return words.join(" ").replace(/:$/, "").slice(0, LENGTH);
}

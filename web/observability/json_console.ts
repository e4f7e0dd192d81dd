import { inspect } from "node:util";
import type { Clock } from "../../chat/clock.ts";
import { LogSampler } from "./log_sampler.ts";

/** Methods of the console, with their levels and outputs. */
const LEVELS = [["log", "info", "stdout"], ["warn", "warn", "stderr"], ["error", "error", "stderr"]] as const;
/** Most characters of a message, and of an error with its stack; the rest is cut. */
const LENGTH = 4_000;

type Speaker = Pick<Console, "log" | "warn" | "error">;

/**
 * Makes the console write each message as one line of JSON for log collectors: `time`, `level`, `message`, and `error`
 * if there is one. Lines that are JSON already, as those of the audit log, stay as they are. Repeated warnings and
 * errors, which anybody may be able to cause, are sampled, and the rest is counted in `left_out`.
 * @param isRead whether people read this output directly: then messages stay sentences
 * @returns writes how many lines were left out since the last count
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

/** The message without the errors. */
function messageOf(said: unknown[]): string {
  const words = said.filter((part) => !(part instanceof Error)).map((part) =>
    typeof part === "string" ? part : inspect(part)
  );
  return words.join(" ").replace(/:$/, "").slice(0, LENGTH);
}

import type { ErrorCode } from "./protocol.ts";

/**
 * What this isolate has done since it started: plain numbers, added to where things happen and read when somebody asks,
 * so that counting costs the busiest path nothing that can be measured.
 */
export class Meter {
  /** Messages that the log has kept for someone here; repeated ones are none. */
  messagesIn = 0;
  /** Messages handed to connections as they came, each counted once for each of them. */
  messagesOut = 0;
  /** Readers that were let go because they did not keep up. */
  slowReaders = 0;
  /** How often something asked for was refused, by the code that the asker was told. */
  readonly refusals = new Map<ErrorCode, number>();
  /** Called after each turn with the milliseconds from taking what waited until it was kept and passed on. */
  onTurn: (milliseconds: number) => void = () => {};

  refused(code: ErrorCode): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }
}

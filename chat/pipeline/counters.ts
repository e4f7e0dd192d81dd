import { CLOSE, type ErrorCode } from "../protocol.ts";

/**
 * What this isolate has done since it started: plain numbers, added to where things happen and read when somebody asks,
 * so that counting costs the busiest path nothing that can be measured.
 */
export class Counters {
  /** Messages that the log has kept for someone here; repeated ones are none. */
  messagesIn = 0;
  /** Messages handed to connections as they came, each counted once for each of them. */
  messagesOut = 0;
  /** How many connections were ended from here, by close code. */
  readonly sentAway = new Map<number, number>();
  /** How often something asked for was refused, by the code that the asker was told. */
  readonly refusals = new Map<ErrorCode, number>();
  /** Called after each turn with the milliseconds from taking what waited until it was kept and passed on. */
  onTurn: (milliseconds: number) => void = () => {};

  /** Readers that were let go because they did not keep up. */
  get slowReaders(): number {
    return this.sentAway.get(CLOSE.tooSlow) ?? 0;
  }

  closed(code: number): void {
    this.sentAway.set(code, (this.sentAway.get(code) ?? 0) + 1);
  }

  refused(code: ErrorCode): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }
}

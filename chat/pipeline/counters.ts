import { CLOSE, type ErrorCode } from "../protocol.ts";

/**
 * What this isolate has done since it started: plain numbers, added to where things happen and read when somebody asks,
 * so that counting costs the busiest path nothing that can be measured.
 */
export class Counters {
  /** Messages that were stored for someone here; a repeated one does not count. */
  messagesIn = 0;
  /** Messages handed to connections as they came, counted once for each connection. */
  messagesOut = 0;
  /** How many connections the server closed, by close code. */
  readonly closes = new Map<number, number>();
  /** How often something was refused, by the code that the error told. */
  readonly refusals = new Map<ErrorCode, number>();
  /** Called after each flush cycle with the milliseconds that it took to store and send what waited. */
  onFlushCycle: (milliseconds: number) => void = () => {};

  /** Readers that were let go because they did not keep up. */
  get slowReaders(): number {
    return this.closes.get(CLOSE.tooSlow) ?? 0;
  }

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  refused(code: ErrorCode): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }
}

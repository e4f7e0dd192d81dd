import { CLOSE, type ErrorCode } from "../protocol.ts";

/**
 * What this isolate has done since it started: plain numbers that are read when somebody asks for metrics, so that
 * counting costs the hot path nothing that can be measured.
 */
export class Counters {
  /** Messages stored for someone here; a repeated one does not count. */
  messagesIn = 0;
  /** Live messages handed to connections, counted once for each connection. */
  messagesOut = 0;
  /** How many connections the server closed, by close code. */
  readonly closes = new Map<number, number>();
  /** How many frames and requests were refused, by error code. */
  readonly refusals = new Map<ErrorCode, number>();
  /** Called after each flush cycle with the milliseconds that it took. */
  onFlushCycle: (milliseconds: number) => void = () => {};

  /** Readers that were disconnected because they did not keep up. */
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

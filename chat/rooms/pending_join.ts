import { EncodedFrames } from "../encoded_frames.ts";
import type { Entry, RoomJoined, ServerFrame } from "../protocol.ts";
import type { Connection } from "../subscriber.ts";

/**
 * One connection's join under way. Until its page has been sent, live entries are held back for it; after that it is sent
 * what its page did not have, until the others have caught up with that page.
 */
export class PendingJoin {
  readonly #connection: Connection;
  #held: Entry[] = [];
  /** Answers to this connection alone, which its page must come before. */
  readonly #answers: Entry[] = [];
  /** Once the page is sent: its head, and the first of the waiting notices that this connection has not been told. */
  #sent: { upTo: number; notices: number } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** How far it has been sent the room's log; undefined until its page is sent. */
  get sentUpTo(): number | undefined {
    return this.#sent?.upTo;
  }

  /** Drops what was held: the room begins with a page that has it. */
  dropHeld(): void {
    this.#held = [];
  }

  /** What was held that a page up to `seq` does not have. */
  heldAfter(seq: number): Entry[] {
    return this.#held.filter((entry) => entry.seq > seq);
  }

  /** Answers it with an entry as soon as its page has been sent. */
  answerLater(entry: Entry): void {
    this.#answers.push(entry);
  }

  /**
   * Sends the page, with the answers to what it holds, and what was held.
   * @param notices how many notices wait in the room, all of which the page has
   */
  sendPage(page: RoomJoined, held: Entry[], notices: number): void {
    const answers = this.#answers.filter((entry) => entry.seq <= page.seq);
    this.#connection.deliver(new EncodedFrames(page, ...answers, ...held));
    this.#sent = { upTo: page.seq + held.length, notices };
  }

  /** Sends what all others are sent, but for what its page had; holds back entries until that page is sent. */
  deliver(notices: ServerFrame[], entries: Entry[]): void {
    if (!this.#sent) {
      for (const entry of entries) this.#held.push(entry);
      return;
    }
    const { notices: told, upTo } = this.#sent;
    this.#sent.notices = 0;
    const unsent = [...notices.slice(told), ...entries.filter((entry) => entry.seq > upTo)];
    if (unsent.length > 0) this.#connection.deliver(new EncodedFrames(...unsent));
  }

  /** Sends what was held back though there is no page: the connection goes on where it was. */
  sendHeld(): void {
    const waiting = [...this.#answers, ...this.#held];
    if (waiting.length > 0) this.#connection.deliver(new EncodedFrames(...waiting));
  }
}

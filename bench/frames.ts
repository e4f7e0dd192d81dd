/** The frames of a WebSocket, as a server sends them, out of bytes that come in pieces of any size. */

const TEXT = 1;
const CLOSE = 8;

/** Whose text a frame is, or why the other end closes. */
export interface FrameListener {
  text(text: string): void;
  /** @param code 1005 where the other end gives none */
  close?(code: number): void;
}

const decoder = new TextDecoder();

/** Without a listener frames are only counted, which costs next to nothing. */
export class FrameReader {
  readonly #listener: FrameListener | undefined;
  /** What belongs to a frame's head that is not complete. */
  #head: number[] = [];
  /** Bytes that the present frame still lacks, and what of it is there. */
  #lacks = 0;
  #body: Uint8Array | undefined;
  frames = 0;

  constructor(listener?: FrameListener) {
    this.#listener = listener;
  }

  read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#lacks > 0) {
        const piece = bytes.subarray(at, at + this.#lacks);
        this.#body?.set(piece, this.#body.length - this.#lacks);
        this.#lacks -= piece.length;
        at += piece.length;
        if (this.#lacks === 0) this.#complete();
        continue;
      }
      this.#head.push(bytes[at++]);
      const length = lengthIn(this.#head);
      if (length === undefined) continue;
      this.frames++;
      this.#lacks = length;
      this.#body = this.#listener && new Uint8Array(length);
      if (length === 0) this.#complete();
    }
  }

  #complete(): void {
    const kind = this.#head[0] & 15;
    this.#head = [];
    if (!this.#body) return;
    if (kind === TEXT) this.#listener!.text(decoder.decode(this.#body));
    if (kind === CLOSE) this.#listener!.close?.(this.#body.length < 2 ? 1005 : this.#body[0] << 8 | this.#body[1]);
  }
}

/** How long the frame is that begins so; undefined while that is not all there. Nothing that a server sends is masked. */
function lengthIn(head: number[]): number | undefined {
  if (head.length < 2) return undefined;
  const [, short] = head;
  if (short < 126) return short;
  const end = short === 126 ? 4 : 10;
  return head.length < end ? undefined : head.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
}

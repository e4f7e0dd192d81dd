/** The frames of a WebSocket, as a server sends them, out of bytes that come in pieces of any size. */

const TEXT = 1;
const CLOSE = 8;
/** In the place of a length: two bytes of it follow, or eight. */
const MIDDLE = 126;
const LONG = 127;

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
      if (this.#lacks === 0 && this.#head.length === 0) {
        const next = this.#whole(bytes, at);
        if (next !== at) {
          at = next;
          continue;
        }
      }
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

  /** Takes a frame that is all there, as most are, without copying it. @returns where the next one begins */
  #whole(bytes: Uint8Array, at: number): number {
    if (bytes.length < at + 4 || bytes[at + 1] === LONG) return at;
    const isShort = bytes[at + 1] < MIDDLE;
    const start = at + (isShort ? 2 : 4);
    const end = start + (isShort ? bytes[at + 1] : bytes[at + 2] << 8 | bytes[at + 3]);
    if (bytes.length < end) return at;
    this.frames++;
    if (this.#listener) this.#tell(bytes[at], bytes.subarray(start, end));
    return end;
  }

  #complete(): void {
    const [first] = this.#head;
    this.#head = [];
    if (this.#body) this.#tell(first, this.#body);
  }

  #tell(first: number, body: Uint8Array): void {
    const kind = first & 15;
    if (kind === TEXT) this.#listener!.text(decoder.decode(body));
    if (kind === CLOSE) this.#listener!.close?.(body.length < 2 ? 1005 : body[0] << 8 | body[1]);
  }
}

/** How long the frame is that begins so; undefined while that is not all there. Nothing that a server sends is masked. */
function lengthIn(head: number[]): number | undefined {
  if (head.length < 2) return undefined;
  const [, short] = head;
  if (short < MIDDLE) return short;
  const end = short === MIDDLE ? 4 : 10;
  return head.length < end ? undefined : head.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
}

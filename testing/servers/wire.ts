/** A way to a port of this machine that a test can cut. */
export class Wire {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #targets = new Set<Deno.TcpConn>();
  readonly #ends: Promise<void>[] = [];
  #held: { word: string; released: Promise<void> } | undefined;
  #cutAfter: { word: string; cut: () => void } | undefined;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#ends.push(this.#accept());
  }

  /** Cuts everything as soon as this has been passed on to the target, before any answer to it comes back. */
  cutAfter(word: string): Promise<void> {
    return new Promise((cut) => this.#cutAfter = { word, cut });
  }

  /** Holds back the first answer that begins with this, and all that follow it. @returns passes them on */
  hold(word: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = { word, released: promise };
    return resolve;
  }

  /** Says a command to the target on each of its connections, as if who is connected had said it. */
  async say(...words: string[]): Promise<void> {
    const command = new TextEncoder().encode(`${words.join(" ")}\r\n`);
    for (const connection of this.#targets) await connection.write(command);
  }

  /** Ends every connection that goes this way; new ones may come. */
  cut(): void {
    for (const connection of this.#connections) end(connection);
    this.#connections.clear();
    this.#targets.clear();
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.cut();
    await Promise.all(this.#ends);
  }

  async #accept(): Promise<void> {
    for await (const here of this.#listener) {
      try {
        const there = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
        this.#connections.add(here).add(there);
        this.#targets.add(there);
        this.#ends.push(this.#pass(here, there, true), this.#pass(there, here, false));
      } catch {
        end(here);
      }
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, isAsking: boolean): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let length; (length = await from.read(buffer)) !== null;) {
        // The answer must not be quicker than the cut.
        const hit = isAsking && this.#cutAfter && new TextDecoder().decode(buffer.subarray(0, length));
        if (hit && hit.includes(this.#cutAfter!.word)) {
          for (const each of this.#connections) if (each !== to) end(each);
          await to.write(buffer.subarray(0, length));
          this.#cutAfter!.cut();
          this.#cutAfter = undefined;
          break;
        }
        const { word, released } = !isAsking && this.#held || {};
        const held = word === undefined ? -1 : decode(buffer.subarray(0, length)).indexOf(word);
        for (let written = 0; written < length;) {
          if (written === held) await released;
          written += await to.write(buffer.subarray(written, written < held ? held : length));
        }
      }
    } catch { /* cut */ }
    end(from);
    end(to);
  }
}

/** A character a byte, so that places are the same. */
function decode(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function end(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it has ended */ }
}

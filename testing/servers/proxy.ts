/** What a proxy does to what passes through it. */
export interface Meddling {
  /**
   * Gets the head of each request; returns the one to pass on, or an answer to give in the server's place, maybe the
   * last.
   */
  request?(head: string): string | { answer: string; isLast?: true };
  /** Gets each piece that the server sends in answer to a head; returns what of it to pass on, or "cut". */
  response?(head: string, piece: string): string | "cut";
}

/** A proxy between a client and a server on this machine, as careless as a test wants it. */
export class Proxy {
  readonly url: string;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #meddling: Meddling;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #ended: Promise<void>;

  /** @param target port of the server */
  constructor(target: number, meddling: Meddling = {}) {
    this.#target = target;
    this.#meddling = meddling;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${this.#listener.addr.port}`;
    this.#ended = this.#accept();
  }

  /** Ends all that is under way; what comes next is passed on again. */
  cut(): void {
    for (const connection of this.#connections) end(connection);
  }

  async stop(): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#ended;
  }

  async #accept(): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const client of this.#listener) passing.push(this.#pass(client));
    await Promise.all(passing);
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target }).catch(() => null);
    if (!server) return end(client);
    for (const connection of [client, server]) this.#connections.add(connection);
    const head = { now: "" };
    await Promise.all([this.#up(client, server, head), this.#down(server, client, head)]);
    for (const connection of [client, server]) {
      this.#connections.delete(connection);
      end(connection);
    }
  }

  /** A request's head comes in one piece from every client that the tests have. */
  async #up(client: Deno.TcpConn, server: Deno.TcpConn, head: { now: string }): Promise<void> {
    for await (const bytes of pieces(client)) {
      const text = decode(bytes);
      const isHead = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(text);
      if (isHead) head.now = text;
      const passed = isHead && this.#meddling.request ? this.#meddling.request(text) : undefined;
      if (typeof passed === "object") {
        await write(client, passed.answer);
        if (passed.isLast) break;
      } else await write(server, passed ?? bytes);
    }
    end(server);
  }

  async #down(server: Deno.TcpConn, client: Deno.TcpConn, head: { now: string }): Promise<void> {
    for await (const bytes of pieces(server)) {
      const passed = this.#meddling.response?.(head.now, decode(bytes));
      if (passed === "cut") break;
      await write(client, passed ?? bytes);
    }
    end(client);
  }
}

async function* pieces(connection: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = await connection.read(buffer).catch(() => null);
    if (length === null) return;
    yield buffer.slice(0, length);
  }
}

/** A character a byte, there and back. */
function decode(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

async function write(connection: Deno.TcpConn, what: string | Uint8Array): Promise<void> {
  let bytes = typeof what === "string" ? Uint8Array.from(what, (character) => character.charCodeAt(0)) : what;
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
  } catch { /* it has gone */ }
}

function end(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* it has been ended before */ }
}

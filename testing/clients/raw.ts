/** A WebSocket client that sends whatever bytes it is told to, over a raw connection, since no library would. */
export class RawClient {
  /** What has come so far: the head of the answer, then the texts of frames. */
  head = "";
  readonly texts: string[] = [];
  /** Control frames that have come, by opcode. */
  readonly controls: { opcode: number; payload: Uint8Array }[] = [];
  /** Resolves once the server has hung up, or it was us. */
  readonly ended: Promise<void>;
  readonly #connection: Deno.TcpConn;
  #bytes = new Uint8Array();
  #checks = new Set<() => void>();
  #over = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.ended = this.#read();
  }

  /** Connects to this port of this machine, and says nothing. */
  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Connects and asks for a socket; resolves with the answer's head, whatever it is. */
  static async open(port: number, options: Parameters<typeof upgradeRequest>[1] = {}) {
    const client = await RawClient.connect(port);
    await client.send(upgradeRequest(port, options));
    await client.until(() => client.head !== "");
    return client;
  }

  /** What has come behind the head and is no whole frame: an answer's body. */
  get body(): string {
    return new TextDecoder().decode(this.#bytes);
  }

  /** Whether the server took it for a socket. */
  get isOpen(): boolean {
    return this.head.startsWith("HTTP/1.1 101 ");
  }

  /** Whether the server has hung up. */
  get isOver(): boolean {
    return this.#over;
  }

  /** The code of the close frame, if one has come. */
  get closeCode(): number | undefined {
    const close = this.controls.find(({ opcode }) => opcode === 8);
    return close && new DataView(close.payload.buffer, close.payload.byteOffset).getUint16(0);
  }

  /** Sends bytes as they are. What can't be sent because the server has hung up is not sent. */
  async send(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    try {
      for (let sent = 0; sent < all.length;) sent += await this.#connection.write(all.subarray(sent));
    } catch { /* it has hung up */ }
  }

  /** Resolves once this is so, or the server has hung up. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition() && !this.#over) return;
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
      check();
    });
  }

  async close(): Promise<void> {
    try {
      this.#connection.close();
    } catch { /* it has ended */ }
    await this.ended;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let length; (length = await this.#connection.read(buffer)) !== null;) {
        this.#bytes = joined(this.#bytes, buffer.subarray(0, length));
        this.#take();
        for (const check of this.#checks) check();
      }
    } catch { /* cut off */ }
    this.#over = true;
    for (const check of this.#checks) check();
  }

  /** Takes the answer's head, then frame by frame, off what has come. */
  #take(): void {
    if (this.head === "") {
      const text = new TextDecoder("latin1").decode(this.#bytes);
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.head = text.slice(0, end);
      this.#bytes = this.#bytes.slice(end + 4);
    }
    while (this.isOpen && this.#bytes.length >= 2) {
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
      const short = view.getUint8(1) & 127;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#bytes.length < start) return;
      const length = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short;
      if (this.#bytes.length < start + length) return;
      const payload = this.#bytes.slice(start, start + length);
      const opcode = view.getUint8(0) & 15;
      this.#bytes = this.#bytes.slice(start + length);
      if (opcode === 1) this.texts.push(new TextDecoder().decode(payload));
      else this.controls.push({ opcode, payload });
    }
  }
}

/** The request that opens a socket. A header that is `undefined` is left out. */
export function upgradeRequest(
  port: number,
  { path = "/connect", query = "", headers = {} }: {
    path?: string;
    query?: string;
    headers?: Record<string, string | undefined>;
  } = {},
): string {
  const all = {
    host: `127.0.0.1:${port}`,
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": crypto.getRandomValues(new Uint8Array(16)).toBase64(),
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map((pair) => pair.join(": "));
  return `GET ${path}${query} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * A frame as clients send it, masked with zeroes.
 * @param first the first byte: 0x81 is a whole text, 0x01 the first part of one, 0x00 a middle, 0x80 the last one
 */
export function frame(first: number, payload: Uint8Array | string = ""): Uint8Array {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const head = bytes.length < 126 ? [bytes.length] : bytes.length < 65_536 ? [126] : [127];
  const length = new Uint8Array(head[0] === 126 ? 2 : head[0] === 127 ? 8 : 0);
  if (length.length === 2) new DataView(length.buffer).setUint16(0, bytes.length);
  if (length.length === 8) new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
  return joined(new Uint8Array([first, head[0] | 128, ...length, 0, 0, 0, 0]), bytes);
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

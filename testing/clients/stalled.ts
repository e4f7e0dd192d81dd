/**
 * A client that joins a room and then never reads another byte, over a raw connection, since no WebSocket library would
 * do that to anyone.
 */
export class StalledClient {
  readonly user: string;
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn, user: string) {
    this.#connection = connection;
    this.user = user;
  }

  /** Joins the default room of the server on this port of this machine. */
  static async join(port: number): Promise<StalledClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
    const head = [
      "GET /connect HTTP/1.1",
      `host: 127.0.0.1:${port}`,
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      `sec-websocket-key: ${key}`,
    ];
    await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    let text = "";
    while (!text.includes('"room_joined"')) {
      const length = await connection.read(buffer);
      if (length === null) throw new Error(`The server hung up: ${text}`);
      text += decoder.decode(buffer.subarray(0, length));
    }
    return new StalledClient(connection, /"user":"([^"]+)"/.exec(text)![1]);
  }

  /** Sends bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#connection.write(bytes);
  }

  close(): void {
    this.#connection.close();
  }
}

/** A session with V8's inspector in another process: what its JavaScript heap holds. */

/** Bytes that a process' JavaScript heap uses and has, and those of buffers outside it. */
export interface HeapUsage {
  usedSize: number;
  totalSize: number;
  embedderHeapUsedSize?: number;
  backingStorageSize?: number;
}

/** How many objects of a constructor there are, and their own bytes. */
export interface Share {
  count: number;
  bytes: number;
}

interface Snapshot {
  snapshot: {
    meta: {
      node_fields: string[];
      node_types: [string[], ...unknown[]];
      edge_fields: string[];
      edge_types: [string[], ...unknown[]];
    };
  };
  nodes: number[];
  edges: number[];
  strings: string[];
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #last = 0;
  #chunks: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error, method, params } = JSON.parse(data);
      if (method === "HeapProfiler.addHeapSnapshotChunk") this.#chunks.push(params.chunk);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result as never);
    };
  }

  /** @param port as told to `--inspect` */
  static async open(port: number): Promise<Inspector> {
    const [{ webSocketDebuggerUrl: url }] = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`no inspector at ${url}`));
    });
    return new Inspector(socket);
  }

  /** What the heap holds once all garbage is gone. */
  async heapUsage(): Promise<HeapUsage> {
    for (let time = 0; time < 3; time++) await this.#ask("HeapProfiler.collectGarbage");
    return await this.#ask<HeapUsage>("Runtime.getHeapUsage");
  }

  /** What the heap holds, by constructor; strings, arrays, code and the like by what V8 calls them. */
  async heapByConstructor(): Promise<Map<string, Share>> {
    this.#chunks = [];
    await this.#ask("HeapProfiler.enable");
    await this.#ask("HeapProfiler.collectGarbage");
    await this.#ask("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
    return summary(JSON.parse(this.#chunks.join("")));
  }

  close(): void {
    this.#socket.close();
  }

  #ask<Result>(method: string, params = {}): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const id = ++this.#last;
      this.#waiting.set(id, { resolve: resolve as never, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

/**
 * As the summary of a browser's tools does, with an object's own bytes only. What many kinds of things have, such as
 * arrays, is told apart by who holds it.
 */
function summary({ snapshot: { meta }, nodes, edges, strings }: Snapshot): Map<string, Share> {
  const [typeAt, nameAt, sizeAt, edgesAt] = ["type", "name", "self_size", "edge_count"].map((field) =>
    meta.node_fields.indexOf(field)
  );
  const width = meta.node_fields.length;
  const [[types], [edgeTypes]] = [meta.node_types, meta.edge_types];
  // What follows an @ is a number that no two snapshots share.
  const nameOf = (node: number) =>
    plainName(types[nodes[node + typeAt]], strings[nodes[node + nameAt]].replace(/( \/ scope)? @\d+$/, ""));
  /** Node → who holds it first, and as what. */
  const holders = new Map<number, string>();
  let edge = 0;
  for (let node = 0; node < nodes.length; node += width) {
    for (let count = nodes[node + edgesAt]; count > 0; count--, edge += meta.edge_fields.length) {
      const [type, name, to] = [edgeTypes[edges[edge]], edges[edge + 1], edges[edge + 2]];
      if (type === "weak" || type === "shortcut" || types[nodes[node + typeAt]] === "synthetic" || holders.has(to)) {
        continue;
      }
      holders.set(to, `${nameOf(node)}.${type === "element" || type === "hidden" ? "[]" : strings[name]}`);
    }
  }
  const shares = new Map<string, Share>();
  for (let node = 0; node < nodes.length; node += width) {
    const bytes = nodes[node + sizeAt];
    if (bytes === 0) continue;
    const own = nameOf(node);
    const holder = isGeneric(own) ? holders.get(node) : undefined;
    const name = holder === undefined ? own : `${own} of ${holder}`;
    const share = shares.get(name) ?? { count: 0, bytes: 0 };
    shares.set(name, share);
    share.count++;
    share.bytes += bytes;
  }
  return shares;
}

/** Whether so many things have one that its name alone tells nothing. */
function isGeneric(name: string): boolean {
  return /^(\(|system|Object$|Array$|Set$|Map$|Promise$|function )/.test(name);
}

function plainName(type: string, name: string): string {
  switch (type) {
    case "object":
    case "native":
      return name.length > 60 ? `${name.slice(0, 60)}…` : name;
    case "closure":
      return `function ${name}`.trim();
    case "hidden":
    case "array":
    case "object shape":
    case "code":
      return `(${type}) ${name.length > 40 ? "" : name.replace(/ \/.*/, "")}`.trim();
    default:
      return `(${type})`;
  }
}

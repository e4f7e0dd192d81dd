import { type ClusterEvent, type LogNotification, roomOf } from "../../chat/storage.ts";

/**
 * What isolates tell each other about a store that they share. Entries and events are JSON, which is not even parsed
 * where nobody subscribes to the room that they are about.
 */
type Message =
  | { kind: "entries"; room: string; epoch: string; entries: string }
  | { kind: "epoch"; room?: string }
  | { kind: "event"; room?: string; event: string };

/** Takes what the other isolates tell. */
interface ChannelListener {
  /** Whether anybody here has subscribed to this room. */
  has(room: string): boolean;
  notified(room: string, notification: LogNotification): void;
  /** A room has another epoch; absent: every room may have. */
  renewed(room?: string): void;
  onEvent(event: ClusterEvent): void;
}

/**
 * Connects the isolates of one process that share a store. Each receives what the others send, in their order, and
 * never its own. An isolate that is far behind may lose messages: what counts is in the store.
 */
export class Channel {
  readonly #broadcast: BroadcastChannel;

  /** @param store which one, the same for all who share it */
  constructor(store: string, listener: ChannelListener) {
    this.#broadcast = new BroadcastChannel(`parley ${store}`);
    this.#broadcast.onmessage = ({ data }: MessageEvent<Message>) => {
      try {
        take(data, listener);
      } catch (error) {
        // What is thrown here would end the isolate.
        console.error("a message of another isolate failed:", error);
      }
    };
  }

  notify(room: string, { epoch, entries }: LogNotification): void {
    // JSON takes a third of the time that a structured clone takes.
    this.#post({ kind: "entries", room, epoch, entries: JSON.stringify(entries) });
  }

  renew(room?: string): void {
    this.#post({ kind: "epoch", room });
  }

  publish(event: ClusterEvent): void {
    this.#post({ kind: "event", room: roomOf(event), event: JSON.stringify(event) });
  }

  close(): void {
    this.#broadcast.close();
  }

  #post(message: Message): void {
    this.#broadcast.postMessage(message);
  }
}

function take(message: Message, listener: ChannelListener): void {
  switch (message.kind) {
    case "entries":
      if (!listener.has(message.room)) return;
      return listener.notified(message.room, { epoch: message.epoch, entries: JSON.parse(message.entries) });
    case "epoch":
      return listener.renewed(message.room);
    case "event":
      if (message.room !== undefined && !listener.has(message.room)) return;
      return listener.onEvent(JSON.parse(message.event));
  }
}

/** Frames without a socket: the server's come as an event stream, the client's go by POST. */
import {
  type ClientFrame,
  CLOSE,
  type ErrorFrame,
  type JoinRoom,
  type LeaveRoom,
  type ServerFrame,
} from "../../chat/protocol.ts";
import type { Clock } from "../clock.ts";
import { createEventReader, type StreamEvent } from "./event_stream.ts";
import { LOST, type OpenTransport } from "./transport.ts";

/** Milliseconds without a byte after which a stream counts as lost: the server sends a comment every 15 s. */
export const STREAM_SILENCE = 40_000;

export interface StreamOptions {
  /** Like the global `fetch`, for paths of the chat. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  clock: Clock;
  newId: () => string;
}

/** Listens to one room at a time, like the page. Messages can be sent to other rooms without a stream. */
export function streamTransport({ fetch, clock, newId }: StreamOptions): OpenTransport {
  return (listener) => {
    const requests = new AbortController();
    let closed = false;
    /** `seq` is that of the last entry received, -1 before `room_joined`. */
    let stream: { room: string; name: string; seq: number; heardAt: number; abort: AbortController } | null = null;

    function close() {
      closed = true;
      requests.abort();
      stream?.abort.abort();
    }

    function end(code: number) {
      if (closed) return;
      close();
      listener.closed(code);
    }

    function receive(...frames: ServerFrame[]) {
      if (!closed && frames.length > 0) listener.received(frames);
    }

    function post(path: string, frame?: ClientFrame): Promise<Response> {
      const headers = { "content-type": "application/json" };
      return fetch(path, { method: "POST", headers, body: JSON.stringify(frame), signal: requests.signal });
    }

    async function begin() {
      const response = await post("/api/session");
      // The next request for a session is answered with the reason.
      if (!response.ok) return end(response.status === 401 ? CLOSE.badToken : CLOSE.renewToken);
      const { user, name, limits } = await response.json();
      // One stream is one room, and browsers have six connections to a host for all tabs.
      receive({ action: "welcome", user, name, limits: { ...limits, rooms: 1 } });
    }

    async function act(frame: ClientFrame) {
      const response = await post("/api/actions", frame);
      if (response.status === 401) return end(CLOSE.badToken);
      if (!response.ok) return receive(await errorIn(response, frame));
      if (response.status === 204) return;
      const answer: ServerFrame = await response.json();
      // An entry that the stream has not reached yet will come with it, in order. An older one answers a repeated
      // action.
      if ("seq" in answer && answer.room === stream?.room && answer.seq > stream.seq) return;
      receive(answer);
    }

    async function listen(frame: JoinRoom) {
      stream?.abort.abort();
      const mine = { room: frame.room, name: newId(), seq: -1, heardAt: clock.now(), abort: new AbortController() };
      stream = mine;
      const { since } = frame;
      const path = `/api/rooms/${encodeURIComponent(frame.room)}/events?stream=${mine.name}`;
      const headers: Record<string, string> = since ? { "last-event-id": `${since.epoch}:${since.seq}` } : {};
      const response = await fetch(path, { headers, signal: mine.abort.signal });
      const code = closeCodeFor(response.status);
      if (code) return end(code);
      if (!response.ok) {
        const error = await errorIn(response, frame);
        if (stream === mine) stream = null;
        return receive(error);
      }
      const read = createEventReader();
      // Not `for await`, which not every browser supports for streams.
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (stream !== mine) return;
        if (done) return end(LOST);
        mine.heardAt = clock.now();
        receiveEvents(read(value), frame);
      }
    }

    function receiveEvents(events: StreamEvent[], { id }: JoinRoom) {
      const frames: ServerFrame[] = [];
      let closeCode: number | null = null;
      for (const { event, data } of events) {
        if (event === "close") {
          closeCode = JSON.parse(data).code;
          continue;
        }
        const frame: ServerFrame = JSON.parse(data);
        if (frame.action === "welcome") {
          // A token means that the server did not accept our cookie.
          if (frame.token !== undefined) closeCode = CLOSE.badToken;
          continue;
        }
        // Only the first one answers the request to join.
        frames.push(frame.action === "room_joined" && stream!.seq < 0 && id ? { ...frame, id } : frame);
        if ("seq" in frame) stream!.seq = frame.seq;
      }
      receive(...frames);
      if (closeCode !== null) end(closeCode);
    }

    function leave(frame: LeaveRoom) {
      if (stream?.room !== frame.room) return;
      const { name, abort } = stream;
      stream = null;
      // The server ends the stream and tells the others at once, instead of waiting for us to come back.
      attempt(act({ ...frame, stream: name }).finally(() => abort.abort()), () => {});
    }

    /** Reports a request that got no answer, unless the transport is closed by now. */
    function attempt(work: Promise<void>, failed: () => void) {
      work.catch(() => closed || failed());
    }

    function send(frame: ClientFrame) {
      if (frame.action === "leave_room") return leave(frame);
      if (frame.action === "join_room") {
        const work = listen(frame);
        const mine = stream;
        return attempt(work, () => stream === mine && end(LOST));
      }
      if (frame.action === "ping" && stream && clock.now() - stream.heardAt > STREAM_SILENCE) return end(LOST);
      attempt(act(frame), () => {
        if (frame.action === "ping") end(LOST);
        else receive(unanswered(frame));
      });
    }

    attempt(begin(), () => end(LOST));
    return { send, close };
  };
}

/** The close code that means the same as a status; null where the status is about the request alone. */
function closeCodeFor(status: number): number | null {
  if (status === 401) return CLOSE.badToken;
  if (status === 403) return CLOSE.notAllowed;
  if (status === 429) return CLOSE.tooManyConnections;
  return null;
}

/** A problem, as the error frame that a socket would have brought. */
async function errorIn(response: Response, frame: ClientFrame): Promise<ErrorFrame> {
  const type = response.headers.get("content-type") ?? "";
  // A proxy answered for itself.
  if (!type.startsWith("application/problem+json")) return unanswered(frame);
  const { code, detail, retry_after, held_until } = await response.json();
  return { ...unanswered(frame), code, message: detail, retry_after, held_until };
}

/** The action may or may not have been done; repeating it with the same id is safe. */
function unanswered(frame: ClientFrame): ErrorFrame {
  const error: ErrorFrame = { action: "error", code: "unavailable", message: "" };
  if ("room" in frame) error.room = frame.room;
  if (frame.id !== undefined) error.id = frame.id;
  return error;
}

/** Frames without a socket: what the server says comes as an event stream, what the page says goes by POST. */
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

/** Milliseconds without a byte after which a stream is given up: the server says that it lives every 15 s. */
export const STREAM_SILENCE = 40_000;

export interface StreamOptions {
  /** As the browser's own. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  clock: Clock;
  newId: () => string;
}

/** One room at a time, which is what the page shows. Words for other rooms need no stream. */
export function streamTransport({ fetch, clock, newId }: StreamOptions): OpenTransport {
  return (listener) => {
    const everything = new AbortController();
    let over = false;
    /** `seq` is the last place in the log that came, -1 before `room_joined`. */
    let stream: { room: string; name: string; seq: number; heardAt: number; abort: AbortController } | null = null;

    function close() {
      over = true;
      everything.abort();
      stream?.abort.abort();
    }

    function end(code: number) {
      if (over) return;
      close();
      listener.closed(code);
    }

    function receive(...frames: ServerFrame[]) {
      if (!over && frames.length > 0) listener.received(frames);
    }

    function post(path: string, frame?: ClientFrame): Promise<Response> {
      const headers = { "content-type": "application/json" };
      return fetch(path, { method: "POST", headers, body: JSON.stringify(frame), signal: everything.signal });
    }

    async function begin() {
      const response = await post("/api/session");
      // Whoever asks for a session next hears why there is none.
      if (!response.ok) return end(response.status === 401 ? CLOSE.badToken : CLOSE.renewToken);
      const { user, name, limits } = await response.json();
      receive({ action: "welcome", user, name, limits });
    }

    async function act(frame: ClientFrame) {
      const response = await post("/api/actions", frame);
      if (response.status === 401) return end(CLOSE.badToken);
      if (!response.ok) return receive(await errorIn(response, frame));
      if (response.status === 204) return;
      const answer: ServerFrame = await response.json();
      // What the stream has not brought yet it will bring, in its place. What it has passed was answered again.
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
      const code = closeCode(response.status);
      if (code) return end(code);
      if (!response.ok) {
        const error = await errorIn(response, frame);
        if (stream === mine) stream = null;
        return receive(error);
      }
      const read = createEventReader();
      // Not `for await`, which not every browser has for streams.
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (stream !== mine) return;
        if (done) return end(LOST);
        mine.heardAt = clock.now();
        take(read(value), frame);
      }
    }

    function take(events: StreamEvent[], { id }: JoinRoom) {
      const frames: ServerFrame[] = [];
      let closed: number | null = null;
      for (const { event, data } of events) {
        if (event === "close") {
          closed = JSON.parse(data).code;
          continue;
        }
        const frame: ServerFrame = JSON.parse(data);
        if (frame.action === "welcome") {
          // A token means that our cookie was not taken.
          if (frame.token !== undefined) closed = CLOSE.badToken;
          continue;
        }
        // The first one answers our asking, the others come by themselves.
        frames.push(frame.action === "room_joined" && stream!.seq < 0 && id ? { ...frame, id } : frame);
        if ("seq" in frame) stream!.seq = frame.seq;
      }
      receive(...frames);
      if (closed !== null) end(closed);
    }

    function leave(frame: LeaveRoom) {
      if (stream?.room !== frame.room) return;
      const { name, abort } = stream;
      stream = null;
      // The server ends the stream, and tells the others at once that we left instead of waiting for us to come back.
      attempt(act({ ...frame, stream: name }).finally(() => abort.abort()), () => {});
    }

    /** What fails for want of a network, unless nobody waits for it any more. */
    function attempt(work: Promise<void>, failed: () => void) {
      work.catch(() => over || failed());
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

/** The close code for a status that means the same; null where the answer is about what was asked. */
function closeCode(status: number): number | null {
  if (status === 401) return CLOSE.badToken;
  if (status === 403) return CLOSE.notAllowed;
  if (status === 429) return CLOSE.tooManyConnections;
  return null;
}

/** A problem as the error that a socket would have brought. */
async function errorIn(response: Response, frame: ClientFrame): Promise<ErrorFrame> {
  const type = response.headers.get("content-type") ?? "";
  // A proxy in the way has words of its own.
  if (!type.startsWith("application/problem+json")) return unanswered(frame);
  const { code, detail, retry_after } = await response.json();
  return { ...unanswered(frame), code, message: detail, retry_after };
}

/** It may or may not have been done: whoever repeats it with the same id loses and doubles nothing. */
function unanswered(frame: ClientFrame): ErrorFrame {
  const error: ErrorFrame = { action: "error", code: "unavailable", message: "" };
  if ("room" in frame) error.room = frame.room;
  if (frame.id !== undefined) error.id = frame.id;
  return error;
}

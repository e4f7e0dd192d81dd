/** The bytes of event streams. */
import type { EncodedFrames } from "../../chat/encoded_frames.ts";

/** A delivery as events, the epoch after it, and whether the room was left with it. */
export interface Events {
  bytes: Uint8Array;
  epoch: string;
  left: boolean;
}

const encoder = new TextEncoder();

/** A comment, which is no event for clients. */
export const BEAT = encoder.encode(": here\n\n");

/** Makes each frame an event named after its action. An entry has its position as `id`, to resume from. */
export function eventsOf(delivery: EncodedFrames, epoch: string): Events {
  let left = false;
  let text = "";
  for (const [at, frame] of delivery.frames.entries()) {
    if (frame.action === "room_joined") epoch = frame.epoch;
    else if (frame.action === "room_left") left = true;
    const id = "seq" in frame ? `id: ${epoch}:${frame.seq}\n` : "";
    text += `event: ${frame.action}\n${id}data: ${delivery.each[at]}\n\n`;
  }
  return { bytes: encoder.encode(text), epoch, left };
}

/** The last event: the code and reason of a socket's close, and when to reconnect. @param retry milliseconds */
export function closeEvent(code: number, reason: string, retry: number): Uint8Array {
  return encoder.encode(`retry: ${retry}\nevent: close\ndata: ${JSON.stringify({ code, reason })}\n\n`);
}

/** How long a browser should wait to reconnect after it was cut off. @param retry milliseconds */
export function retryAfter(retry: number): Uint8Array {
  return encoder.encode(`retry: ${retry}\n\n`);
}

/** @param length of all together */
export function joinBytes(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

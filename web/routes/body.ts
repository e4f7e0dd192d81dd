import { ChatError } from "../../chat/errors.ts";
import { HttpRefusal } from "../schema/problem.ts";

/**
 * Reads a body of JSON as text, and no more of it than may be.
 * @param limit bytes
 * @throws {ChatError} `frame_too_large`, `bad_json`; `bad_frame` with status 415 where it says to be something else
 */
export async function readJson(request: Request, limit: number): Promise<string> {
  if (mediaType(request) !== "application/json") {
    throw new HttpRefusal(415, "bad_frame", "Send JSON, with Content-Type: application/json.");
  }
  return await readText(request, limit);
}

/**
 * Reads a body as text, whatever it says to be, and no more of it than may be.
 * @param limit bytes
 * @throws {ChatError} `frame_too_large`, `bad_json`
 */
export async function readText(request: Request, limit: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > limit) throw new ChatError("frame_too_large", `A body has at most ${limit} bytes. Send less.`);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof ChatError) throw error;
    if (error instanceof TypeError) throw new ChatError("bad_json", "The body is not UTF-8. Send it as UTF-8.");
    // Whoever hangs up in the middle hears nothing of it, and must not fill the log.
    throw new ChatError("bad_json", "The body broke off. Send it whole.");
  }
}

/** What a request's body says to be, without parameters; undefined where it says nothing. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
}

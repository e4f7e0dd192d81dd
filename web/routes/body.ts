import { ChatError } from "../../chat/errors.ts";
import { HttpRefusal } from "../schema/problem.ts";

/**
 * Reads a body of JSON as text, up to a limit.
 * @param limit bytes
 * @throws {ChatError} `frame_too_large`, `bad_json`; `bad_frame` with status 415 if it has another content type
 */
export async function readJson(request: Request, limit: number): Promise<string> {
  if (mediaType(request) !== "application/json") {
    throw new HttpRefusal(415, "bad_frame", "Send JSON, with Content-Type: application/json.");
  }
  return await readText(request, limit);
}

/**
 * Reads a body of any content type as text, up to a limit.
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
    // A client that hangs up in the middle never gets this answer, and must not fill the log.
    throw new ChatError("bad_json", "The body broke off. Send it whole.");
  }
}

/** The content type of a request's body, without parameters. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
}

import { Refusal } from "../chat/refusal.ts";
import { HttpRefusal } from "./problem.ts";

/**
 * Reads a body of JSON as text, and no more of it than may be.
 * @param limit bytes
 * @throws {Refusal} `frame_too_large`, `bad_json`; `bad_frame` with status 415 where it says to be something else
 */
export async function readJson(request: Request, limit: number): Promise<string> {
  const [type] = request.headers.get("content-type")?.split(";") ?? [];
  if (type?.trim().toLowerCase() !== "application/json") {
    throw new HttpRefusal(415, "bad_frame", "Send JSON, with Content-Type: application/json.");
  }
  return await readText(request, limit);
}

/**
 * Reads a body as text, whatever it says to be, and no more of it than may be.
 * @param limit bytes
 * @throws {Refusal} `frame_too_large`, `bad_json`
 */
export async function readText(request: Request, limit: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > limit) throw new Refusal("frame_too_large", `A body has at most ${limit} bytes. Send less.`);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal("bad_json", "The body is not UTF-8. Send JSON as UTF-8.");
    throw error;
  }
}

import { timingSafeEqual } from "hono/utils/buffer";

/** What stands behind `Authorization: Bearer`, maybe nothing; undefined where there is no such header. */
export function bearerIn(request: Request): string | undefined {
  const [isBearer, token = ""] = /^bearer(?:[ \t]+(.*))?$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return isBearer === undefined ? undefined : token;
}

/** Whether a request brings this token as a Bearer token. How long the answer takes tells nothing of it. */
export async function bringsToken(request: Request, token: string): Promise<boolean> {
  const brought = bearerIn(request);
  return brought !== undefined && await timingSafeEqual(brought, token);
}

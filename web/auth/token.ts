import { timingSafeEqual } from "hono/utils/buffer";

/** The token after `Authorization: Bearer`, maybe empty; undefined without such a header. */
export function bearerIn(request: Request): string | undefined {
  const [isBearer, token = ""] = /^bearer(?:[ \t]+(.*))?$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return isBearer === undefined ? undefined : token;
}

/** Whether a request has this Bearer token. The time that it takes says nothing about the token. */
export async function bringsToken(request: Request, token: string): Promise<boolean> {
  const brought = bearerIn(request);
  return brought !== undefined && await timingSafeEqual(brought, token);
}

import { timingSafeEqual } from "hono/utils/buffer";

/** Whether a request brings this token as `Authorization: Bearer TOKEN`. How long the answer takes tells nothing of it. */
export async function bringsToken(request: Request, token: string): Promise<boolean> {
  const [, brought] = /^bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return brought !== undefined && await timingSafeEqual(brought, token);
}

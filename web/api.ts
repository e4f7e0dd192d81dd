import type { Context } from "hono";
import { roomName } from "../chat/names.ts";
import { PAGE_SIZE, PAGE_SIZE_LIMIT } from "../chat/protocol.ts";
import { Refusal } from "../chat/refusal.ts";
import type { App, House } from "./house.ts";
import { originAllowed } from "./origin.ts";
import { problem } from "./problem.ts";

/** What is asked and changed over HTTP, under `/api`. */
export function addApi(app: App, house: House): void {
  const { identities } = house;

  app.use("/api/*", async (c, next) => {
    if (c.req.method === "GET" || originAllowed(c.req.raw, house.allowedOrigins)) return await next();
    return problem(new Refusal("forbidden", "This page may not call. Its origin belongs into ALLOWED_ORIGINS."));
  });

  app.get("/api/rooms", async (c) => {
    await countRead(c);
    c.header("cache-control", "no-store");
    return c.json(await house.rooms.rooms());
  });

  app.get("/api/rooms/:room/messages", async (c) => {
    const room = roomName(c.req.param("room"));
    const { before, after, limit = PAGE_SIZE } = {
      before: wholeNumber(c.req.query("before"), "before"),
      after: wholeNumber(c.req.query("after"), "after"),
      limit: wholeNumber(c.req.query("limit"), "limit"),
    };
    if (before !== undefined && after !== undefined) {
      throw new Refusal("bad_frame", "Ask for what is before a place or after it, not both.");
    }
    await countRead(c);
    const page = await house.log.history(room, { before, after, limit: Math.min(Math.max(limit, 1), PAGE_SIZE_LIMIT) });
    c.header("cache-control", "no-store");
    return c.json({ room, epoch: page.epoch, seq: page.seq, messages: page.messages, more: page.more });
  });

  /** Most may read, though not as fast as they can. */
  async function countRead({ req, env }: Context<{ Bindings: Deno.ServeHandlerInfo }>): Promise<void> {
    const identity = await identities.identifyReader(req.raw);
    house.lobby.doorkeeper.admit(identity?.user, house.proxies.addressKey(req.raw, env.remoteAddr), "reads");
  }
}

/** A number in a query. @throws {Refusal} `bad_frame` */
export function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal("bad_frame", `"${name}" is a whole number.`);
  return Number(text);
}

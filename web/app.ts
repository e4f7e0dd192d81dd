import { Hono } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { getPath } from "hono/utils/url";
import * as v from "valibot";
import { DEFAULT_ROOM } from "../chat/protocol.ts";
import { ChatError } from "../chat/errors.ts";
import { addAdmin } from "./routes/admin.ts";
import { limitAnswers } from "./transport/answers.ts";
import { addApi } from "./routes/api.ts";
import { describe } from "./schema/describe.ts";
import { addDocs } from "./routes/docs.ts";
import type { App, AppServices } from "./services.ts";
import { addHistory } from "./routes/history.ts";
import { addSearch } from "./routes/search.ts";
import { addMetrics } from "./routes/metrics.ts";
import { addPage } from "./routes/page.ts";
import { WORKER } from "./routes/page_files.ts";
import { HttpRefusal, problem } from "./schema/problem.ts";
import { noted } from "./observability/refusals.ts";
import { addSession } from "./routes/session.ts";
import { addTalk, TOKEN_HEADER } from "./routes/talk.ts";

/** Headers that a browser heeds in a document only. They are longer than many a script of ours. */
const FOR_DOCUMENTS = [
  "content-security-policy",
  "cross-origin-opener-policy",
  "origin-agent-cluster",
  "referrer-policy",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-xss-protection",
];

/** All that is served over HTTP, except the upgrade to a socket. Each file of routes adds its own. */
export function createApp(services: AppServices): App {
  const app: App = new Hono({ getPath: (request) => services.basePath.of(getPath(request)) });

  const text = (description: string) => ({ description, schema: v.string(), type: "text/plain" });
  const aboutHealth = describe({
    id: "getHealth",
    tag: "Monitoring",
    summary: "Whether the process runs",
    answers: { 200: text("It does.") },
    who: "anyone",
  });
  app.get("/healthz", aboutHealth, (c) => c.text("alive\n"));
  const aboutReadiness = describe({
    id: "getReadiness",
    tag: "Monitoring",
    summary: "Whether the server can serve",
    answers: { 200: text("It can."), 503: text("It is stopping, or its store does not answer.") },
    who: "anyone",
  });
  app.get("/readyz", aboutReadiness, async (c) => {
    if (services.chat.draining) return c.text("draining\n", 503);
    return await services.storeAnswers() ? c.text("ready\n") : c.text("the store does not answer\n", 503);
  });

  app.use(async (c, next) => {
    await next();
    await noted(services, c.req.raw, c.env, c.res, c.error);
  });
  app.use(async (c, next) => {
    await next();
    // A service worker has a policy of its own.
    if (c.req.path === WORKER) return;
    if (!/^(text\/(javascript|css)|image\/png|application\/manifest)\b/.test(c.res.headers.get("content-type") ?? "")) {
      return;
    }
    for (const name of FOR_DOCUMENTS) c.res.headers.delete(name);
  });
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", services.files.inlineScript],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      manifestSrc: ["'self'"],
      workerSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      // It returns the service worker's own address, and nothing else: static/worker/trusted_address.ts.
      trustedTypes: ["parley"],
    },
    referrerPolicy: "same-origin",
    // It does not include sub-domains, which are not ours.
    strictTransportSecurity: "max-age=15552000",
  }));
  addMetrics(app, services);
  // Pages of other origins may read an answer only if they are listed. What they may do is checked elsewhere.
  app.use(
    "/api/*",
    cors({
      origin: (origin) => services.allowedOrigins.includes(origin) ? origin : null,
      credentials: true,
      exposeHeaders: ["retry-after", TOKEN_HEADER],
    }),
  );
  app.use(limitAnswers(services));
  // Upgrades do not come here: the handler answers them.
  const asked = v.pipe(
    v.string(),
    v.description("Rooms to join, with commas between them, or one in each `room`. Empty: none."),
  );
  const aboutConnecting = describe({
    id: "openSocket",
    tag: "Chat",
    summary: "The WebSocket",
    description:
      "Frames are JSON objects with an action: the client sends a ClientFrame, the server a ServerFrame. With the " +
      "subprotocol chat.batch.v1 a frame may be an array of them. Send a token as a Bearer token or as the " +
      "subprotocol bearer.TOKEN.",
    query: { room: v.optional(asked, DEFAULT_ROOM) },
    // Linters ask for an answer that is none of 1xx: `default` is the truth, since all others are problems.
    answers: { 101: { description: "The connection is open: frames are sent both ways." } },
    problems: [403, 426, 429, 503, "default"],
    who: "person",
  });
  app.get("/connect", aboutConnecting, () => {
    throw new HttpRefusal(426, "bad_frame", "This address takes WebSocket connections only.");
  });
  app.use("/api/*", async (_, next) => {
    if (services.chat.draining) {
      throw new ChatError("unavailable", "The server is restarting. Try again in a moment.", 1);
    }
    await next();
  });
  addApi(app, services);
  addHistory(app, services);
  addSearch(app, services);
  addSession(app, services);
  addTalk(app, services);
  addAdmin(app, services);
  addDocs(app, services);
  addPage(app, services);

  const docs = services.basePath.to("/docs");
  app.notFound(() => problem(new ChatError("not_found", "There is nothing at this address."), docs));
  app.onError((error) => problem(error, docs));
  return app;
}

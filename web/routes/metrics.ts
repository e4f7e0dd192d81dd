import * as v from "valibot";
import { ChatError } from "../../chat/errors.ts";
import { bringsToken } from "../auth/token.ts";
import { describe } from "../schema/describe.ts";
import { HttpRefusal } from "../schema/problem.ts";
import type { App, AppServices } from "../services.ts";
import { isDirectLocal } from "../transport/client_address.ts";

/** `GET /metrics`, for callers with the token; if none is set, for callers on this machine. */
export function addMetrics(app: App, { metrics, metricsToken }: AppServices): void {
  const about = describe({
    id: "getMetrics",
    tag: "Monitoring",
    summary: "Metrics for Prometheus",
    description: "Without METRICS_TOKEN only callers on the server's own machine may read them.",
    answers: { 200: { description: "Prometheus' text format.", schema: v.string(), type: "text/plain" } },
    problems: [401, 403],
    who: "metrics",
  });
  app.get("/metrics", about, async (c) => {
    if (metricsToken === undefined) {
      if (isDirectLocal(c.req.raw, c.env.remoteAddr)) return await metrics.answer();
      throw new ChatError("forbidden", "Set METRICS_TOKEN, and send it as Authorization: Bearer METRICS_TOKEN.");
    }
    if (await bringsToken(c.req.raw, metricsToken)) return await metrics.answer();
    throw new HttpRefusal(401, "forbidden", "Send METRICS_TOKEN as Authorization: Bearer METRICS_TOKEN.");
  });
}

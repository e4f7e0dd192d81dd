/** The whole description: what routes say of themselves by `describe`, and what holds for many of them. */
import { generateSpecs } from "hono-openapi";
import * as v from "valibot";
import { ROOM_NAME_LIMIT } from "../../chat/protocol.ts";
import { isLimited } from "../transport/answers.ts";
import { components, parameterOf, type Tag, TAGS } from "./describe.ts";
import { FOR_MONITORS } from "../transport/host.ts";
import type { App, AppServices } from "../services.ts";
import { problemComponents, problemReferences, type ProblemStatus } from "./problem_answers.ts";

/** An OpenAPI document, of which only this much is read here. */
export interface OpenApi extends Record<string, unknown> {
  tags: { name: Tag; description: string }[];
  paths: Record<string, Record<string, Operation>>;
}

export interface Operation {
  summary: string;
  tags: Tag[];
  security: Record<string, unknown>[];
  parameters: { in: string; name: string }[];
  responses: Record<string, unknown>;
}

/** What stands for something in addresses. */
const IN_PATHS: Record<string, v.GenericSchema> = {
  room: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(ROOM_NAME_LIMIT),
    v.description("A room's name: letters, marks and digits of any script, `-` and `_`. Upper case counts as lower."),
  ),
  seq: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(10 ** 15 - 1),
    v.description("A message's place in its room's log."),
  ),
  user: v.pipe(v.string(), v.minLength(1), v.description("A person's id: the `user` of a frame.")),
};

const bearer = (description: string) => ({ type: "http", scheme: "bearer", description });
const securitySchemes = ({ identities: { cookies } }: AppServices) => ({
  session: bearer("A token from POST /api/session."),
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: cookies.plain,
    description: `The same token, for browsers. Behind TLS its name is ${cookies.secure}.`,
  },
  moderator: bearer("ADMIN_TOKEN."),
  metrics: bearer("METRICS_TOKEN."),
});

const INFO = {
  title: "Parley",
  description:
    "A chat room that you own. Whoever sends a message is a person, known by a token or a cookie. Reading needs " +
    "neither, unless people come from an outside issuer. Refusals are problem documents (RFC 9457) with the same codes as in " +
    "frames. Pages of other origins may call if ALLOWED_ORIGINS names them. /docs describes the same for people.",
  license: { name: "MIT", identifier: "MIT" },
};

export async function describeAll(app: App, services: AppServices): Promise<OpenApi> {
  const specs = await generateSpecs(app, { excludeStaticFile: false });
  const { paths }: OpenApi = JSON.parse(JSON.stringify(specs));
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      Object.assign(operation.responses, problemReferences(problemsBefore(method.toUpperCase(), path)));
      operation.parameters = operation.parameters.map(described);
    }
  }
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  // What only moderators have is left out where there are none.
  const tags = new Set(operations.flatMap((operation) => operation.tags));
  const schemes = new Set(operations.flatMap(({ security }) => security.flatMap(Object.keys)));
  return {
    openapi: "3.1.0",
    info: { version: services.version, ...INFO },
    servers: [{ url: services.basePath.path || "/", description: "The server that this description comes from." }],
    tags: entriesOf(TAGS).filter(([name]) => tags.has(name)).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: components(),
      responses: problemComponents(),
      securitySchemes: Object.fromEntries(entriesOf(securitySchemes(services)).filter(([name]) => schemes.has(name))),
    },
  };
}

/** Problems that one meets before the route itself is asked. */
function problemsBefore(method: string, path: string): ProblemStatus[] {
  const problems: ProblemStatus[] = [400];
  if (FOR_MONITORS.includes(path)) return problems;
  problems.push(421);
  if (isLimited(method, path)) problems.push(429);
  if (!path.startsWith("/api/")) return problems;
  problems.push(503);
  // Only there origins are compared.
  if (method !== "GET") problems.push(403);
  return problems;
}

/** A parameter with what `IN_PATHS` tells of it, if it stands in the address. */
function described<Parameter extends { in: string; name: string }>(parameter: Parameter): Parameter {
  return parameter.in === "path" ? { ...parameter, ...parameterOf(IN_PATHS[parameter.name]) } : parameter;
}

function entriesOf<Key extends string, Value>(record: Record<Key, Value>): [Key, Value][] {
  return Object.entries(record) as [Key, Value][];
}

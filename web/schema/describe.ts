/** How routes describe themselves, for `GET /openapi.json`: what they take and answer, by the schemas of the wire. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { MiddlewareHandler } from "hono";
import { describeRoute, type DescribeRouteOptions } from "hono-openapi";
import * as v from "valibot";
import { clientFrames } from "./client_frames.ts";
import { headersOf, problemReferences, type ProblemStatus } from "./problem_answers.ts";
import { entry, heldUntil, limits, member, serverFrames } from "./server_frames.ts";

/** As valibot gives it: JSON Schema, of which OpenAPI 3.1 takes all. */
export type JsonSchema = Record<string, unknown>;

const problem = v.pipe(
  v.object({
    type: v.string(),
    title: v.string(),
    status: v.pipe(v.number(), v.safeInteger(), v.minValue(400), v.maxValue(599)),
    detail: v.string(),
    code: serverFrames.error.entries.code,
    retry_after: v.optional(v.pipe(v.number(), v.description("Seconds."))),
    held_until: v.optional(heldUntil),
    login_url: v.optional(v.pipe(v.string(), v.description("Where to sign in and get a token."))),
  }),
  v.description("RFC 9457. `detail` says what to do."),
);

export const clientFrame = v.variant("action", Object.values(clientFrames) as never) as v.GenericSchema;
export const serverFrame = v.variant("action", Object.values(serverFrames) as never) as v.GenericSchema;

/** What routes and schemas refer to by name. */
const named: Record<string, v.GenericSchema> = {
  ...Object.fromEntries(Object.entries(clientFrames).map(([action, schema]) => [pascal(action), schema])),
  // What is told under the name that it is asked by.
  ...Object.fromEntries(
    Object.entries(serverFrames).map((
      [action, schema],
    ) => [action === "typing" ? "SomeoneTyping" : pascal(action), schema]),
  ),
  Entry: entry,
  Member: member,
  Limits: limits,
  Problem: problem,
  ClientFrame: clientFrame,
  ServerFrame: serverFrame,
};

const reference = (name: string) => `#/components/schemas/${name}`;

/** All that is referred to by name. */
export function components(): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, spelledOut(schema)]));
}

/** A schema as JSON Schema: itself spelled out, those in it that have a name by reference. */
export function spelledOut(schema: v.GenericSchema): JsonSchema {
  const definitions = Object.fromEntries(Object.entries(named).filter(([, other]) => other !== schema));
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, {
    definitions,
    overrideRef: ({ referenceId }) => reference(referenceId),
    // What only code can check (whether a text is whole) is said in words.
    errorMode: "ignore",
    typeMode: "input",
  });
  return rest;
}

/** A schema by its name if it has one. */
function jsonSchema(schema: v.GenericSchema): JsonSchema {
  const [name] = Object.entries(named).find(([, other]) => other === schema) ?? [];
  return name === undefined ? spelledOut(schema) : { $ref: reference(name) };
}

/** What is answered with a status: words, and where there is a body, what it is. */
export interface Answer {
  description: string;
  schema?: v.GenericSchema;
  /** Unless it is JSON. */
  type?: string;
  /** By name, with what they tell. */
  headers?: Record<string, string>;
}

/** What operations are grouped by, in this order. */
export const TAGS = {
  Session: "Who you are.",
  Chat: "Rooms: their history, listening, and sending.",
  Moderation: "For whoever sends ADMIN_TOKEN. For everyone else these addresses do not exist (404).",
  Monitoring: "For whoever runs the server.",
  Pages: "The chat in a browser, and this description.",
};

export type Tag = keyof typeof TAGS;

export interface About {
  /** Its name in clients that are made from the description: a verb first, in camelCase. */
  id: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** What may be brought beside the address, by name; each schema says in words what it is. */
  query?: Record<string, v.GenericSchema>;
  /** What of it must be brought. */
  needed?: readonly string[];
  headers?: Record<string, v.GenericSchema>;
  body?: v.GenericSchema;
  /** What it takes from a page's form, for which there may also be no body at all. */
  form?: v.GenericSchema;
  answers: Record<number, Answer>;
  /** Statuses of its own that come with a problem. Those that many routes have are added to them, see `openapi.ts`. */
  problems?: readonly ProblemStatus[];
  /** Who may call: anyone, and it makes no difference who; a person, or anyone at all; a moderator; a monitor. */
  who: keyof typeof SECURITY;
}

const SECURITY = {
  anyone: [],
  person: [{}, { session: [] }, { cookie: [] }],
  moderator: [{ moderator: [] }],
  metrics: [{}, { metrics: [] }],
};

/** The answer to who has the file already, and says so by `If-None-Match`. */
export const UNCHANGED = { 304: { description: "Nothing has changed since the ETag that you sent." } };

/** Describes the route that it stands in. */
export function describe(about: About): MiddlewareHandler {
  const { id, tag, summary, description, query = {}, headers = {}, body, form, answers, problems = [], who } = about;
  const { needed } = about;
  const content = {
    ...contentOf("application/json", body),
    ...contentOf("application/x-www-form-urlencoded", form),
  };
  const operation = {
    operationId: id,
    tags: [tag],
    summary,
    description,
    parameters: [
      ...Object.entries(query).map(([name, schema]) => ({
        name,
        in: "query",
        required: needed?.includes(name),
        ...parameterOf(schema),
      })),
      ...Object.entries(headers).map(([name, schema]) => ({ name, in: "header", ...parameterOf(schema) })),
    ],
    requestBody: (body || form) && { required: form === undefined, content },
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
      ...problemReferences(problems),
    },
    security: SECURITY[who],
  };
  return describeRoute(operation as DescribeRouteOptions);
}

/** What a parameter is, in words and as a schema. */
export function parameterOf(schema: v.GenericSchema): { description: unknown; schema: JsonSchema } {
  const { description, ...rest } = spelledOut(schema);
  return { description, schema: rest };
}

function responseOf({ description, schema, type = "application/json", headers }: Answer) {
  return { description, headers: headersOf(headers), content: schema && contentOf(type, schema) };
}

function contentOf(type: string, schema: v.GenericSchema | undefined) {
  return schema && { [type]: { schema: jsonSchema(schema) } };
}

function pascal(action: string): string {
  return action.replaceAll(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
}

/** How routes describe themselves, for `GET /openapi.json`: what they take and answer, by the schemas of the wire. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { MiddlewareHandler } from "hono";
import { describeRoute, type DescribeRouteOptions } from "hono-openapi";
import * as v from "valibot";
import { clientFrames } from "./frames.ts";
import { entry, limits, member, serverFrames } from "./server_frames.ts";

/** As valibot gives it: JSON Schema, of which OpenAPI 3.1 takes all. */
export type JsonSchema = Record<string, unknown>;

const problem = v.pipe(
  v.object({
    type: v.string(),
    title: v.string(),
    status: v.number(),
    detail: v.string(),
    code: serverFrames.error.entries.code,
    retry_after: v.optional(v.number()),
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

export interface About {
  summary: string;
  description?: string;
  /** Of what is brought beside the address: names, with what they are. */
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: v.GenericSchema;
  answers: Record<number, Answer>;
  /** Statuses that come with a problem. */
  problems?: readonly number[];
  /** Who may call: anyone, with or without being a person; a person; moderators; who may read the metrics. */
  who?: "anyone" | "person" | "moderator" | "metrics";
}

const SECURITY = {
  anyone: [{}, { session: [] }, { cookie: [] }],
  person: [{ session: [] }, { cookie: [] }],
  moderator: [{ moderator: [] }],
  metrics: [{}, { metrics: [] }],
};

/** Describes the route that it stands in. */
export function describe(
  { summary, description, query, headers, body, answers, problems = [], who }: About,
): MiddlewareHandler {
  const parameters = [
    ...Object.entries(query ?? {}).map(([name, what]) => ({ name, in: "query", description: what, schema: {} })),
    ...Object.entries(headers ?? {}).map(([name, what]) => ({
      name,
      in: "header",
      description: what,
      schema: { type: "string" },
    })),
  ];
  const responses = Object.fromEntries([
    ...Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)]),
    ...problems.map((status) => [status, { $ref: `#/components/responses/Problem` }]),
  ]);
  const operation = {
    summary,
    description,
    parameters,
    responses,
    security: who && SECURITY[who],
    requestBody: body && { required: true, content: { "application/json": { schema: jsonSchema(body) } } },
  };
  return describeRoute(operation as DescribeRouteOptions);
}

function responseOf({ description, schema, type = "application/json", headers }: Answer) {
  return {
    description,
    headers: headers && Object.fromEntries(
      Object.entries(headers).map(([name, what]) => [name, { description: what, schema: { type: "string" } }]),
    ),
    content: schema && { [type]: { schema: jsonSchema(schema) } },
  };
}

function pascal(action: string): string {
  return action.replaceAll(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
}

/**
 * A route of the HTTP API: one declaration, from which requests are checked, access is decided and the OpenAPI document
 * is written. What is not declared is neither read nor answered.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import { EclError } from '../core/errors.ts';
import { describeIssues } from '../core/step-checks.ts';
import type { Scope } from '../ports/token-store.ts';
import type { ApiEnv } from './api.ts';
import { Problem, problemMediaType } from './contract/problem.ts';

type Shape = z.ZodType<Readonly<Record<string, unknown>>>;

/** What a route takes; each part is checked by its schema, and unknown query parameters are refused. */
export interface Taken {
  readonly params?: Shape;
  readonly query?: Shape;
  /** By their names in lower case; other headers are ignored. */
  readonly headers?: Shape;
  readonly body?: z.ZodType;
}

export interface Answer {
  readonly description: string;
  /** Schemas by media type; none for an answer without a body. */
  readonly content?: Readonly<Record<string, z.ZodType>>;
}

type Part<Schema> = Schema extends z.ZodType ? z.infer<Schema> : undefined;

/** What the handler gets of a request, checked. */
export interface Asked<Takes extends Taken> {
  readonly params: Part<Takes['params']>;
  readonly query: Part<Takes['query']>;
  readonly headers: Part<Takes['headers']>;
  readonly body: Part<Takes['body']>;
}

export interface Route<Takes extends Taken = Taken> {
  readonly method: 'get' | 'post';
  /** With parameters in braces: `/api/v1/runs/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** What a token must allow; undefined for a route that needs none. */
  readonly scope: Scope | undefined;
  /** It tells of all tenants at once, so a token of one tenant is refused. */
  readonly tenants?: 'all';
  readonly takes?: Takes;
  /** How the body comes. @default JSON that must be there */
  readonly bodyKind?: 'json' | 'optional-json' | 'binary';
  readonly answers: Readonly<Record<number, Answer>>;
  readonly handle: (context: Context<ApiEnv>, asked: Asked<Takes>) => Response | Promise<Response>;
}

/** Gives a handler the types of what its route takes. */
export const route = <const Takes extends Taken = Taken>(declared: Route<Takes>): Route => declared;

const checked = <Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
  what: string,
): z.infer<Schema> | undefined => {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  throw new EclError('input.invalid', {
    what,
    issues: describeIssues(issues),
    list: issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  });
};

/** One value a name; a repeated one is an array, which a schema of a single value refuses. */
const queryOf = (context: Context<ApiEnv>): Record<string, unknown> => {
  const { searchParams } = new URL(context.req.url);
  const names = [...new Set(searchParams.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = searchParams.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
};

/** @throws EclError `input.invalid` */
export const askedOf = (
  { takes = {}, scope }: Route,
  context: Context<ApiEnv>,
  body: unknown,
): Asked<Taken> => {
  const hasQuery = context.req.url.includes('?');
  // What probes add to the address of an open route is nobody's mistake.
  const query = takes.query ?? (hasQuery && scope !== undefined ? noQuery : undefined);
  return {
    params: checked(takes.params, context.req.param(), 'the path'),
    query: checked(query, hasQuery ? queryOf(context) : {}, 'the query'),
    headers: checked(takes.headers, headersOf(takes.headers, context), 'the headers'),
    body: checked(takes.body, body, 'the request'),
  };
};

const noQuery = z.strictObject({});

const headersOf = (schema: Shape | undefined, { req }: Context<ApiEnv>): object =>
  schema instanceof z.ZodObject
    ? Object.fromEntries(Object.keys(schema.shape).map((name) => [name, req.header(name)]))
    : {};

export const answersJson = (schema: z.ZodType, description: string): Answer => ({
  description,
  content: { 'application/json': schema },
});

const problemDescriptions = {
  400: 'The request is wrong',
  401: 'No token, or one that is not known',
  403: 'The token does not allow this',
  404: 'There is no such thing, or not for this token',
  409: 'Not possible in this state; `details.events` are those possible now',
  412: 'The run has moved on since the ETag of `If-Match`',
  413: 'The body is too large',
  415: 'The body has another media type',
  429: 'Too much at once with this token',
  500: 'A fault of the server',
  503: 'The store or a provider is away',
} as const;

/** Errors that a route answers with, beside those that all with a token have. */
export const problems = (
  ...statuses: readonly (keyof typeof problemDescriptions)[]
): Record<number, Answer> =>
  Object.fromEntries(
    ([400, 401, 403, 429, 500, 503, ...statuses] as const).map((status) => [
      status,
      { description: problemDescriptions[status], content: { [problemMediaType]: Problem } },
    ]),
  );

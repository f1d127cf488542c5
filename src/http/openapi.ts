/** The OpenAPI 3.1 document, written from the declarations of the routes and the schemas that check them. */
import { z } from 'zod';
import type { Answer, Route } from './route.ts';

type JsonSchema = Record<string, unknown>;

const definitions = '#/$defs/';
const components = '#/components/schemas/';

/** Schemas with an id stand under `components` once, and are referred to. */
class Components {
  readonly schemas = new Map<string, JsonSchema>();

  schema(of: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const whole = z.toJSONSchema(z.object({ it: of }), { io, unrepresentable: 'any' });
    const { properties, $defs = {} } = JSON.parse(
      JSON.stringify(whole).replaceAll(definitions, components),
    ) as { properties: { it: JsonSchema }; $defs?: Record<string, JsonSchema> };
    for (const [name, { id: _, ...schema }] of Object.entries($defs)) {
      this.schemas.set(name, schema);
    }
    return properties.it;
  }
}

const parameters = (
  where: 'path' | 'query' | 'header',
  shape: z.ZodType | undefined,
  all: Components,
): object[] => {
  if (!(shape instanceof z.ZodObject)) return [];
  return Object.entries(shape.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const { description, ...rest } = all.schema(schema, 'output');
    return {
      in: where,
      name,
      required: !schema.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
};

const contentOf = (content: Answer['content'], all: Components): object => ({
  content: Object.fromEntries(
    Object.entries(content ?? {}).map(([type, schema]) => [
      type,
      { schema: all.schema(schema, 'output') },
    ]),
  ),
});

const requestBody = ({ takes, bodyKind = 'json' }: Route, all: Components): object => {
  if (takes?.body === undefined) return {};
  const [type, schema] =
    bodyKind === 'binary'
      ? ['*/*', { description: 'Any bytes' }]
      : ['application/json', all.schema(takes.body, 'input')];
  const content = { [type]: { schema } };
  return { requestBody: { required: bodyKind !== 'optional-json', content } };
};

const operation = (route: Route, all: Components): object => {
  const { operationId, tag, summary, description, scope, tenants, takes, answers } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: scope === undefined ? [] : [{ token: [scope] }],
    ...(tenants === undefined ? {} : { 'x-tenants': tenants }),
    parameters: [
      ...parameters('path', takes?.params, all),
      ...parameters('query', takes?.query, all),
      ...parameters('header', takes?.headers, all),
    ],
    ...requestBody(route, all),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, { description: text, content }]) => [
        status,
        { description: text, ...(content === undefined ? {} : contentOf(content, all)) },
      ]),
    ),
  };
};

export const openApiDocument = (routes: readonly Route[]): object => {
  const all = new Components();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, all) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ECL',
      version: '1',
      description: 'Runs of AI workflows: start them, follow them, decide for them.',
    },
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of `ecl token create`; the scopes are read, write and admin.',
        },
      },
      schemas: Object.fromEntries([...all.schemas].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
};

/** The OpenAPI document of a server, as tests read it: operations, and schemas that check answers. */
import { z } from 'zod';
import { jsonOf, type Served } from './kit.ts';

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required: boolean;
  readonly schema: object;
}

export interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly operationId: string;
  /** It takes a token of all tenants. */
  readonly 'x-tenants'?: 'all';
  readonly security: readonly { readonly token?: readonly string[] }[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface ApiDocument {
  readonly operations: readonly Operation[];
  /** A schema of the document that checks values, references included. */
  readonly schema: (part: object) => z.ZodType;
  /** What is wrong with an answer, by what the document says of it. */
  readonly complaintsAbout: (operation: Operation, answer: Response, body: string) => string[];
}

const mediaTypeOf = (answer: Response): string | undefined =>
  answer.headers.get('content-type')?.split(';', 1)[0];

export const readDocument = async (server: Served): Promise<ApiDocument> => {
  const document = await jsonOf(server.fetch('/openapi.json', { token: null }));
  const text = JSON.stringify(document.components.schemas).replaceAll(
    '#/components/schemas/',
    '#/$defs/',
  );
  const definitions = JSON.parse(text) as object;
  const schema = (part: object): z.ZodType => {
    const own = JSON.parse(
      JSON.stringify(part).replaceAll('#/components/schemas/', '#/$defs/'),
    ) as object;
    return z.fromJSONSchema({ ...own, $defs: definitions } as Parameters<
      typeof z.fromJSONSchema
    >[0]);
  };
  const operations = Object.entries(
    document.paths as Record<string, Record<string, object>>,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  ) as unknown as Operation[];
  return {
    operations,
    schema,
    complaintsAbout: (operation, answer, body) => {
      const where = `${operation.method} ${operation.path} ${answer.status}`;
      const documented = operation.responses[String(answer.status)];
      if (documented === undefined) return [`${where} is not documented: ${body}`];
      if (documented.content === undefined) {
        return body === '' ? [] : [`${where} has a body, and none is documented`];
      }
      const type = mediaTypeOf(answer);
      const content = documented.content[type ?? ''];
      if (content === undefined) return [`${where} is ${type}, which is not documented`];
      if (type?.endsWith('json') !== true) return [];
      const parsed = schema(content.schema).safeParse(JSON.parse(body));
      return parsed.success ? [] : [`${where}: ${z.prettifyError(parsed.error)} in ${body}`];
    },
  };
};

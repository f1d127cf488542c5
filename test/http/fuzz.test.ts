/**
 * Random requests to every route, made from the OpenAPI document: whatever comes, the answer is documented, comes in
 * time, and is no fault of the server. 2,000 requests with ECL_SOAK=1, 300 without.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSoak } from '../random.ts';
import { readDocument, type Operation, type Parameter } from './document.ts';
import { startServer } from './kit.ts';

const requests = isSoak ? 2_000 : 300;
const answerMsMax = 15_000;

const nasty = [
  '',
  '0',
  '-1',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'a.b~1',
  'offer.o',
  'acme.offer.o',
  'revision-1',
  'position-99999999999999999999',
  '%00',
  '\u0000',
  'ß💥',
  'x'.repeat(3_000),
  'true',
  'start',
  'end',
  '1e9',
];

const anyText = fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary', maxLength: 40 }));

/** Values that fit a schema of a parameter as often as not. */
const parameterValue = ({ schema }: Parameter): fc.Arbitrary<string> => {
  const { enum: choices, type } = schema as { enum?: readonly string[]; type?: string };
  const fitting =
    choices !== undefined
      ? fc.constantFrom(...choices)
      : type === 'integer'
        ? fc.integer({ min: -5, max: 2_000 }).map(String)
        : fc.constantFrom('offer', 'offer.o', 'default', '3', 'RunStarted', '2026-01-01T00:00:00Z');
  return fc.oneof(fitting, anyText);
};

const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(
    { workflow: 'offer' },
    { workflow: 'offer', key: 'o', input: {} },
    { workflow: 'offer', key: 'o', input: { title: 'x' } },
    { workflow: 'add-one', input: { value: 1 } },
    { workflow: 'add-one', input: { value: 'NaN' }, tenant: 'ACME' },
    { workflow: '../x', input: null },
    { type: 'noted' },
    { type: 'approved', by: { deep: [1, 2, { three: null }] } },
    { type: 'xstate.done.actor.x' },
    { type: 'xstate.init' },
    { accept: true },
    { moreRounds: 3 },
    { output: null },
  ),
);

const bodyText = fc.oneof(
  { weight: 6, arbitrary: anyJson.map((value) => JSON.stringify(value)) },
  fc.constant('{"__proto__":{"admin":true}}'),
  fc.constant('{"type":"noted","x":{"constructor":{"prototype":{}},"__proto__":1}}'),
  fc.constant(`${'['.repeat(200)}${']'.repeat(200)}`),
  fc.constant('{"type":'),
  fc.string({ unit: 'binary', maxLength: 100 }),
);

const mediaType = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'multipart/form-data', ''),
);

const accept = fc.constantFrom(
  'application/json',
  '*/*',
  'application/cloudevents-batch+json',
  'text/plain;q=0',
);

interface Sent {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const isHeaderValue = (value: string): boolean => /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value);

const sentFor = (operation: Operation): fc.Arbitrary<Sent> =>
  fc
    .record({
      values: fc.record(
        Object.fromEntries(
          operation.parameters.map((parameter) => [
            `${parameter.in} ${parameter.name}`,
            parameter.required
              ? parameterValue(parameter)
              : fc.option(parameterValue(parameter), { nil: undefined, freq: 2 }),
          ]),
        ),
      ),
      extra: fc.option(anyText, { nil: undefined, freq: 10 }),
      type: mediaType,
      accept,
      body: bodyText,
    })
    .map(({ values, extra, type, accept: accepted, body }) => {
      const query = new URLSearchParams(extra === undefined ? {} : { surprise: extra });
      const headers: Record<string, string> = { accept: accepted };
      let path = operation.path;
      for (const [place, value] of Object.entries(values)) {
        const [where, name] = place.split(' ') as [string, string];
        if (value === undefined) continue;
        if (where === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value) || '-');
        else if (where === 'query') query.append(name, value);
        else if (isHeaderValue(value)) headers[name] = value;
      }
      const search = query.toString();
      if (type !== '') headers['content-type'] = type;
      return {
        path: search === '' ? path : `${path}?${search}`,
        method: operation.method,
        headers,
        body: operation.requestBody === undefined ? undefined : body,
      };
    });

test(`${requests} random requests get documented answers, in time, and none is a fault of the server`, async () => {
  const server = await startServer({
    serve: { limits: { freshWaitMs: 20, waitSecondsMax: 0 } },
  });
  const tokens = [server.serving.token, server.token({ tenant: 'acme', scope: 'write' })];
  await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
  const { operations, complaintsAbout } = await readDocument(server);
  const statuses = new Map<number, number>();
  const property = fc.asyncProperty(
    fc
      .constantFrom(...operations)
      .chain((operation) => fc.tuple(fc.constant(operation), sentFor(operation))),
    fc.constantFrom(...tokens),
    async ([operation, sent], token) => {
      const answer = await server.fetch(sent.path, {
        method: sent.method,
        headers: sent.headers,
        token,
        signal: AbortSignal.timeout(answerMsMax),
        ...(sent.body === undefined ? {} : { body: sent.body }),
      });
      const body = await answer.text();
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect(answer.status, body).toBeLessThan(500);
      expect(body).not.toMatch(/\bat .*\.(ts|js):\d+/);
      // A name that is made up may lead to another path, which is not this operation.
      if (answer.headers.get('content-type') === 'application/problem+json') {
        if ((JSON.parse(body) as { code: string }).code === 'http.no-route') return;
      }
      expect(complaintsAbout(operation, answer, body)).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: requests });
  // Neither all were refused nor all let through: the requests reach what they are to try.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(requests / 20);
  expect(statuses.get(400) ?? 0).toBeGreaterThan(requests / 20);
  expect((await server.fetch('/health/ready')).status).toBe(200);
  expect(Object.prototype).not.toHaveProperty('admin');
}, 300_000);

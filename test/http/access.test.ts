/** Every route of the OpenAPI document, with every kind of token: generated from the document itself. */
import { describe, expect, test } from 'vitest';
import { readDocument, type Operation } from './document.ts';
import { jsonOf, startServer, type Served } from './kit.ts';

interface World {
  readonly server: Served;
  readonly run: string;
  readonly sha256: string;
  readonly tokens: Readonly<Record<'acme' | 'reader' | 'other' | 'operator', string>>;
}

const prepare = async (): Promise<World> => {
  const server = await startServer();
  const tokens = {
    acme: server.token({ tenant: 'acme', scope: 'write' }),
    reader: server.token({ tenant: 'acme', scope: 'read' }),
    other: server.token({ tenant: 'other', scope: 'admin' }),
    operator: server.token({ tenant: '*', scope: 'admin' }),
  };
  const token = tokens.acme;
  const started = await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' }, { token });
  const { id } = await jsonOf(started);
  const uploaded = await server.fetch('/api/v1/artifacts', { method: 'POST', body: 'x', token });
  const { sha256 } = await jsonOf(uploaded);
  return { server, run: id, sha256, tokens };
};

/** A request that the operation answers well, for a token of the tenant acme. */
const request = (
  { method, path, requestBody }: Operation,
  { run, sha256 }: World,
): [string, RequestInit] => {
  const values: Record<string, string> = {
    id: path.includes('/workflows/') ? 'offer' : run,
    sha256,
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name]!);
  if (requestBody === undefined) return [filled, { method }];
  const bodies: Record<string, object> = {
    '/api/v1/runs': { workflow: 'offer', tenant: 'acme' },
    '/api/v1/runs/{id}/signals': { type: 'noted' },
  };
  return [
    filled,
    {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(bodies[path] ?? {}),
    },
  ];
};

const isOpen = ({ security }: Operation): boolean => security.length === 0;
const scopeOf = ({ security }: Operation): string | undefined => security[0]?.token?.[0];
const isForAllTenants = (operation: Operation): boolean => operation['x-tenants'] === 'all';
const isOfObject = ({ path }: Operation): boolean =>
  /\{(id|sha256)\}/.test(path) && !path.includes('/workflows/');

describe('every documented route', () => {
  test('answers as documented without a token, with a wrong one, with one of another tenant and with a right one', async () => {
    const world = await prepare();
    const { server, tokens } = world;
    const { operations, complaintsAbout } = await readDocument(server);
    expect(operations.length).toBeGreaterThan(14);
    const wrong: string[] = [];
    const ask = async (operation: Operation, token: string | null): Promise<number> => {
      const [path, init] = request(operation, world);
      const answer = await server.fetch(path, { ...init, token });
      const body = await answer.text();
      wrong.push(...complaintsAbout(operation, answer, body));
      // What belongs to acme is not told to others, whatever is asked.
      if (token !== tokens.acme && token !== tokens.operator && token !== tokens.reader) {
        if (body.includes('"acme"')) wrong.push(`${operation.operationId} tells of acme: ${body}`);
      }
      return answer.status;
    };
    const isFine = (status: number): boolean => status >= 200 && status < 300;
    // Commands may find the run moved by the one before: a conflict is an answer of who may ask.
    const isAllowed = (status: number): boolean => isFine(status) || status === 409;
    for (const operation of operations) {
      const name = operation.operationId;
      const expected = (what: string, ok: boolean, status: number): void => {
        if (!ok) wrong.push(`${name} ${what}: ${status}`);
      };
      const none = await ask(operation, null);
      const unknown = await ask(operation, 'ecl_0000000000000000000000000000000000000000000');
      const isOpenFor = (status: number): boolean =>
        isOpen(operation) ? isFine(status) : status === 401;
      expected('without a token', isOpenFor(none), none);
      expected('with a wrong token', isOpenFor(unknown), unknown);
      const other = await ask(operation, tokens.other);
      if (isOfObject(operation)) expected('of another tenant', other === 404, other);
      if (name === 'startRun') expected('of another tenant', other === 403, other);
      const isForAll = isForAllTenants(operation);
      if (isForAll) expected('of one tenant', other === 403, other);
      const reader = await ask(operation, tokens.reader);
      const mayRead = !isForAll && (isOpen(operation) || scopeOf(operation) === 'read');
      expected('with scope read', mayRead ? isAllowed(reader) : reader === 403, reader);
      const right = await ask(operation, tokens.acme);
      expected('with a right token', isForAll ? right === 403 : isAllowed(right), right);
      const operator = await ask(operation, tokens.operator);
      expected('with the token of an operator', isAllowed(operator), operator);
    }
    expect(wrong).toEqual([]);
  });

  test('is all that answers', async () => {
    const { server } = await prepare();
    const { operations } = await readDocument(server);
    const documented = new Set(operations.map(({ method, path }) => `${method} ${path}`));
    const paths = [...new Set(operations.map(({ path }) => path))];
    const answers: string[] = [];
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const more = [
        '/',
        '/api',
        '/api/v1',
        '/api/v2/runs',
        '/admin',
        '/dashboard',
        '/api/v1/tokens',
      ];
      for (const path of [...paths, ...more]) {
        if (documented.has(`${method} ${path}`)) continue;
        const url = path.replaceAll(/\{\w+\}/g, 'x.y');
        const { status } = await server.fetch(url, { method });
        if (status !== 404) answers.push(`${method} ${path}: ${status}`);
      }
    }
    expect(answers).toEqual([]);
  });
});

describe('a token', () => {
  test('sees the runs, events and files of its tenant and no others', async () => {
    const { server, tokens, run, sha256 } = await prepare();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'mine' }, { token: tokens.other });
    const { other: token } = tokens;
    const list = await jsonOf(server.fetch('/api/v1/runs', { token }));
    expect(list.items.map(({ id }: { id: string }) => id)).toEqual(['other.offer.mine']);
    const events = await jsonOf(server.fetch('/api/v1/events', { token }));
    const streams = new Set(events.items.map(({ stream }: { stream: string }) => stream));
    expect(streams).toEqual(new Set(['run-other.offer.mine']));
    expect((await server.fetch('/api/v1/runs?tenant=acme', { token })).status).toBe(403);
    expect((await server.fetch('/api/v1/events?tenant=acme', { token })).status).toBe(403);
    expect((await server.fetch(`/api/v1/runs?parent=${run}`, { token })).status).toBe(404);
    // A reference to a file of another tenant is no way to it either.
    const file = { name: 'x', sha256, bytes: 1, mediaType: 'text/plain' };
    const body = { type: 'approved', by: 'me', file };
    const signal = await server.post('/api/v1/runs/other.offer.mine/signals', body, { token });
    expect(signal.status).toBe(404);
    expect(await jsonOf(signal)).toMatchObject({ code: 'artifact.not-found' });
    // Bringing the same content makes it theirs as well.
    await server.fetch('/api/v1/artifacts', { method: 'POST', body: 'x', token });
    expect((await server.fetch(`/api/v1/artifacts/${sha256}`, { token })).status).toBe(200);
  });

  test('is told nothing of ids that it may not see', async () => {
    const { server, tokens } = await prepare();
    const near = await server.fetch('/api/v1/runs/other.offer.p', { token: tokens.other });
    expect(await near.text()).not.toContain('acme');
  });

  test('that is revoked does not work from the next request on', async () => {
    const { server } = await prepare();
    const { openTokens } = await import('../../src/composition/server-place.ts');
    const tokens = openTokens(server.folder);
    const { token, record } = tokens.create({ tenant: 'acme', scope: 'read', now: 0 });
    expect((await server.fetch('/api/v1/runs', { token })).status).toBe(200);
    expect(tokens.revoke(record.id)).toBe(true);
    expect((await server.fetch('/api/v1/runs', { token })).status).toBe(401);
  });
});

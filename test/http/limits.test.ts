/** What a server does not let be done to it. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EclError } from 'ecl';
import { createMemoryArtifactStore } from '../../src/adapters/memory/artifact-store.ts';
import { createMemoryEventStore } from '../../src/adapters/memory/event-store.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { openTokens } from '../../src/composition/server-place.ts';
import { decorated } from '../runtime/kit.ts';
import { jsonOf, startServer, temporaryFolder, type Served } from './kit.ts';

const json = { 'content-type': 'application/json' };

const post = (server: Served, body: string, headers: Record<string, string> = json) =>
  server.fetch('/api/v1/runs', { method: 'POST', headers, body });

const codeOf = async (answer: Promise<Response>): Promise<[number, string]> => {
  const { status, code } = await jsonOf(answer);
  return [status, code];
};

describe('a body', () => {
  test('is refused beyond 1 MiB, whether or not its length is said', async () => {
    const server = await startServer();
    const large = JSON.stringify({ workflow: 'offer', input: { title: 'x'.repeat(1024 * 1024) } });
    expect(await codeOf(post(server, large))).toEqual([413, 'input.too-large']);
    const stream = new ReadableStream({
      pull: (output) => output.enqueue(new TextEncoder().encode('x'.repeat(64 * 1024))),
    });
    const endless = server.fetch('/api/v1/runs', {
      method: 'POST',
      headers: json,
      body: stream,
      duplex: 'half',
    });
    expect(await codeOf(endless)).toEqual([413, 'input.too-large']);
  });

  test('is refused beyond 64 levels, as anything but JSON, and with __proto__', async () => {
    const server = await startServer();
    const deep = `{"workflow":"offer","input":${'['.repeat(65)}${']'.repeat(65)}}`;
    expect(await codeOf(post(server, deep))).toEqual([400, 'input.not-json']);
    const pollution = '{"workflow":"offer","input":{"__proto__":{"admin":true}}}';
    expect(await codeOf(post(server, pollution))).toEqual([400, 'input.not-json']);
    expect(await codeOf(post(server, '{"workflow":'))).toEqual([400, 'usage.invalid']);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await codeOf(post(server, 'workflow=offer', form))).toEqual([415, 'http.media-type']);
    const other = await post(server, '{"workflow":"offer","key":"x","input":{"title":"ok"}}');
    expect(other.status).toBe(201);
  });
});

describe('a request', () => {
  test('for another host, or from a page of another origin, is refused', async () => {
    const server = await startServer();
    const { port } = new URL(server.url);
    const ask = async (head: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(`GET /health/live HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`);
      let text = '';
      for await (const part of socket) text += String(part);
      return text.split('\r\n', 1)[0]!;
    };
    expect(await ask(`Host: 127.0.0.1:${port}`)).toContain('200');
    expect(await ask('Host: localhost')).toContain('200');
    expect(await ask('Host: evil.example')).toContain('403');
    expect(await ask('Host: localhost\r\nOrigin: https://evil.example')).toContain('403');
    expect(await ask('Host: localhost\r\nOrigin: http://localhost')).toContain('200');
    const answer = await server.fetch('/api/v1/runs', { headers: { origin: 'null' } });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('that comes too slowly is cut off', async () => {
    const server = await startServer({
      serve: { limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } },
    });
    const { port } = new URL(server.url);
    for (const head of ['GET /health/live HTTP/1.1\r\nHo', 'POST /api/v1/runs HTTP/1.1\r\n']) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(head);
      // Reads what is left, so that the end is heard.
      socket.resume();
      await once(socket, 'close');
    }
  });

  test('beyond the rate or the number at the same time of its token waits, and others do not', async () => {
    const server = await startServer({
      serve: { limits: { requestsPerSecond: 1, requestBurst: 3, concurrentRequests: 2 } },
    });
    const token = server.token();
    const statuses: number[] = [];
    for (let request = 0; request < 5; request += 1) {
      statuses.push((await server.fetch('/api/v1/runs', { token })).status);
    }
    expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
    expect(statuses.slice(3)).toContain(429);
    const late = await server.fetch('/api/v1/runs', { token });
    if (late.status === 429) expect(late.headers.get('retry-after')).toBe('1');
    expect((await server.fetch('/api/v1/runs')).status).toBe(200);
    const waiting = server.token();
    await server.post('/api/v1/runs', { workflow: 'offer', key: 'o' });
    const wait = () => server.fetch('/api/v1/runs/offer.o?until=end&wait=5', { token: waiting });
    const both = [wait(), wait()];
    let third = await server.fetch('/api/v1/runs', { token: waiting });
    while (third.status !== 429) third = await server.fetch('/api/v1/runs', { token: waiting });
    expect(await third.text()).toContain('access.rate-limited');
    await server.post('/api/v1/runs/offer.o/cancel', {});
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('a fault of the server', () => {
  test('says nothing of itself but an id that stands in the log', async () => {
    const events = createMemoryEventStore();
    const broken = decorated(events, {
      lastRevision: () => Promise.reject(new Error('secret at /home/me/db.ts:1')),
    });
    const server = await startServer({
      store: {
        events: broken,
        artifacts: createMemoryArtifactStore(),
        reads: createMemoryReadStore(),
      },
    });
    const answer = await server.fetch('/api/v1/runs/offer.o/events');
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toContain('secret');
    expect(JSON.parse(text)).toMatchObject({
      code: 'unexpected',
      requestId: answer.headers.get('x-request-id'),
    });
  });
});

describe('health', () => {
  test('is live while the store is away, and ready again when it is back', async () => {
    let isAway = false;
    const events = createMemoryEventStore();
    const server = await startServer({
      store: {
        events: decorated(events, {
          lastRevision: (stream) =>
            isAway
              ? Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }))
              : events.lastRevision(stream),
        }),
        artifacts: createMemoryArtifactStore(),
        reads: createMemoryReadStore(),
      },
    });
    const health = async (): Promise<number[]> =>
      Promise.all(
        ['live', 'ready'].map(
          async (path) => (await server.fetch(`/health/${path}`, { token: null })).status,
        ),
      );
    expect(await health()).toEqual([200, 200]);
    isAway = true;
    expect(await health()).toEqual([200, 503]);
    expect((await server.fetch('/api/v1/runs/offer.o/events')).status).toBe(503);
    isAway = false;
    expect(await health()).toEqual([200, 200]);
  });
});

describe('tokens and the address of a server', () => {
  test('are for their owner only, and no token stands in a file but that of the server itself', async () => {
    const server = await startServer();
    const { token } = openTokens(server.folder).create({ tenant: '*', scope: 'admin', now: 0 });
    expect(Buffer.from(token.replace('ecl_', ''), 'base64url').length * 8).toBeGreaterThanOrEqual(
      128,
    );
    for (const name of ['tokens.json', 'server.json']) {
      expect(statSync(join(server.folder, name)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(server.folder, 'tokens.json'), 'utf8')).not.toContain(token);
    await server.stop();
    expect(() => statSync(join(server.folder, 'server.json'))).toThrow('ENOENT');
  });

  test('without tokens only this machine is served', async () => {
    const options = { folder: temporaryFolder(), serve: { auth: false, host: '0.0.0.0' } };
    await expect(startServer(options)).rejects.toMatchObject({ code: 'usage.invalid' });
    const open = await startServer({ serve: { auth: false } });
    expect((await open.fetch('/api/v1/runs', { token: null })).status).toBe(200);
  });
});

/** `ecl serve` as a process. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ecl, project, start, type Process } from './built-cli.ts';

interface Address {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const fileOf = (folder: string): string => join(folder, '.ecl', 'server.json');

/** Waits until the server answers. */
const serve = async (folder: string): Promise<{ server: Process; address: Address }> => {
  const server = start(folder, 'serve', '--port', '0', '--model', 'rules');
  await server.said('has the address');
  const address = JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Address;
  return { server, address };
};

const ask = ({ url, token }: Address, path: string, headers = {}): Promise<Response> =>
  fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });

test('serves beside other commands, and ends with 0 on SIGTERM though a stream is open', async () => {
  const folder = project();
  const { server, address } = await serve(folder);
  const second = await ecl(folder, 'serve', '--port', '0');
  expect(second.exitCode).toBe(5);
  const ran = await ecl(folder, 'run', 'critique-revise', 'topic=the sea', '--key', 'a', '--json');
  expect(ran.exitCode).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'critique-revise.a', status: 'completed' });
  const stream = await ask(address, '/api/v1/events', { accept: 'text/event-stream' });
  expect(stream.status).toBe(200);
  const text = stream.text();
  const began = Date.now();
  server.child.kill('SIGTERM');
  const ended = await server.ended;
  expect(ended.exitCode).toBe(0);
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(await text).toContain('RunCompleted');
  expect(existsSync(fileOf(folder))).toBe(false);
});

test('that was killed stands in nobody’s way, and what it acknowledged is there', async () => {
  const folder = project();
  const { server, address } = await serve(folder);
  const started = await fetch(`${address.url}/api/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ workflow: 'critique-revise', key: 'k', input: { topic: 'the sea' } }),
  });
  expect(started.status).toBe(201);
  server.child.kill('SIGKILL');
  await server.ended;
  const resumed = await ecl(folder, 'run', 'critique-revise', 'topic=the sea', '--key', 'k');
  expect(resumed.exitCode).toBe(0);
  const tokens = await ecl(folder, 'token', 'create', '--tenant', 'acme', '--scope', 'read');
  expect(tokens.stdout).toMatch(/^ecl_[\w-]{43}\n$/);
  const list = await ecl(folder, 'token', 'list', '--json');
  const { items } = JSON.parse(list.stdout) as { items: { id: string }[] };
  expect(items).toMatchObject([{ tenant: 'acme', scope: 'read' }]);
  expect((await ecl(folder, 'token', 'revoke', items[0]!.id)).exitCode).toBe(0);
  expect((await ecl(folder, 'token', 'revoke', items[0]!.id)).exitCode).toBe(3);
});

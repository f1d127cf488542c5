/** `ecl serve` three times on one server: requests go to any of them, and what runs owe is done by whoever is there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { run, type Running } from '../durability/processes.ts';
import { sharedServer, uniqueName } from '../kurrentdb/server.ts';

const bin = fileURLToPath(new URL('../../dist/src/cli/bin.js', import.meta.url));
const flows = fileURLToPath(new URL('flows.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ecl-servers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const server = sharedServer();
const tenant = uniqueName();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Document {
  readonly id: string;
  readonly status: string;
  readonly output?: unknown;
}

let count = 0;
const environment = async (): Promise<Record<string, string>> => ({
  ECL_STORE: await server(),
  ECL_DATA_FOLDER: join(folder, String((count += 1))),
  ECL_MACHINES: flows,
  ECL_MODEL: 'rules',
});

const serve = async (): Promise<{ process: Running; url: string }> => {
  const env = await environment();
  const process = run([bin, 'serve', '--port', '0', '--no-auth', '--json'], { env });
  const line = await process.line('  "url"');
  return { process, url: /"(http[^"]+)"/.exec(line)![1]! };
};

const ask = async (url: string, path: string, body?: object): Promise<Document> => {
  const response = await fetch(`${url}/api/v1/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Document;
};

/** The document of a run, once it has a status, as one server shows it. */
const once = async (url: string, id: string, status: string): Promise<Document> => {
  for (let waited = 0; waited < 40_000; waited += 100) {
    const document = await ask(url, `runs/${id}`);
    if (document.status === status) return document;
    await pause(100);
  }
  throw new Error(`${id} is not ${status}`);
};

test('three servers share the runs; one that is killed and one that is stopped are replaced', async () => {
  const [killed, stopped, left] = await Promise.all([serve(), serve(), serve()]);
  const at = (n: number): string => [killed, stopped, left][n % 3]!.url;
  const ids = Array.from({ length: 12 }, (_, n) => `${tenant}.naps.k${n}`);
  for (const [n, id] of ids.entries()) {
    const key = `k${n}`;
    expect(await ask(at(n), 'runs', { workflow: 'naps', key, tenant, input: {} })).toMatchObject({
      id,
    });
    await ask(at(n + 1), `runs/${id}/signals`, { type: 'note', n: 1 });
    if (n < 10) await ask(at(n + 2), `runs/${id}/signals`, { type: 'note', n: 2 });
    else await ask(at(n + 2), `runs/${id}/cancel`, { reason: 'no need' });
  }
  killed.process.kill('SIGKILL');
  await killed.process.exit;
  for (const id of ids.slice(0, 10)) {
    expect(await once(left.url, id, 'completed')).toMatchObject({ output: [1, 2] });
  }
  for (const id of ids.slice(10)) await once(left.url, id, 'cancelled');

  stopped.process.kill('SIGTERM');
  expect(await stopped.process.exit).toMatchObject({ code: 0 });
  // What the last one has not yet taken over is free at once, so this does not wait for a death to be noticed.
  const started = Date.now();
  const keys = Array.from({ length: 8 }, (_, n) => `late${n}`);
  for (const key of keys)
    await ask(left.url, 'runs', { workflow: 'blinks', key, tenant, input: {} });
  for (const key of keys) await once(left.url, `${tenant}.blinks.${key}`, 'completed');
  expect(Date.now() - started).toBeLessThan(10_000);

  const env = await environment();
  const command = await run([bin, 'run', 'blinks', '--key', 'cli', '--tenant', tenant, '--json'], {
    env,
  }).exit;
  expect(command, command.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(command.stdout)).toMatchObject({ status: 'completed' });
  const doctor = await run([bin, 'doctor', '--json'], { env }).exit;
  const { store } = JSON.parse(doctor.stdout) as {
    store: { shared: { owners: { place: string; partitions: number }[]; unowned: number } };
  };
  expect(store.shared.unowned).toBe(0);
  expect(store.shared.owners).toEqual([
    expect.objectContaining({
      place: expect.stringContaining(`/${left.process.pid}`),
      partitions: 64,
    }),
  ]);
  left.process.kill('SIGTERM');
  expect(await left.process.exit).toMatchObject({ code: 0 });
}, 180_000);

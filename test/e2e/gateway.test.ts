/** `ecl gateway` as a process: what it prints is what a client needs, and it holds the store until it is told to end. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonEvent, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { expect, test, vi } from 'vitest';
import { builtPackage, ecl, project, start, startProgram, type Process } from './built-cli.ts';

// Several processes, one after the other.
vi.setConfig({ testTimeout: 150_000 });

/** The first line that a process prints that matches. */
const printed = ({ child, ended }: Process, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (part: Buffer) => {
      text += part.toString();
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) resolve(found);
    });
    void ended.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)));
  });

const connectionStringPattern = /kurrentdb:\/\/\S+/;

test('a client appends through the gateway, the printed subscriber sees it, and SIGTERM ends it with 0', async () => {
  const folder = project();
  const gateway = start(folder, 'gateway', '--port', '0');
  const connectionString = await printed(gateway, connectionStringPattern);
  await gateway.said('event.type');
  const client = KurrentDBClient.connectionString(connectionString);
  const event = jsonEvent({ type: 'OrderPlaced', data: { total: 5 } });
  await client.appendToStream('order-1', event, { streamState: 'no_stream' });

  const beside = await ecl(folder, 'run', 'critique-revise', 'topic=x');
  expect(beside.exitCode).toBe(5);
  expect(beside.stderr).toContain(String(gateway.child.pid));
  expect((await ecl(folder, 'list')).exitCode).toBe(0);

  symlinkSync(join(builtPackage, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'subscriber.mjs'), subscriberFor(connectionString));
  const subscriber = startProgram(folder, [process.execPath, 'subscriber.mjs']);
  expect(await printed(subscriber, /order-1.*/)).toMatch(/order-1 0n? OrderPlaced/);
  await client.dispose();

  // The subscriber is still there.
  const asked = Date.now();
  gateway.child.kill('SIGTERM');
  const { exitCode, stderr } = await gateway.ended;
  expect(exitCode).toBe(0);
  expect(Date.now() - asked).toBeLessThan(10_000);
  expect(stderr).toContain('no TLS and no credentials');
  // The example that a person copies is the one that ran above.
  expect(stderr.replaceAll(/^ {2}/gm, '')).toContain(subscriberFor(connectionString).trim());
  subscriber.child.kill('SIGKILL');

  const again = start(folder, 'gateway', '--port', '0', '--json');
  const document = await printed(again, /\{[^}]*\}/);
  const reopened = JSON.parse(document) as { connectionString: string; pid: number };
  expect(reopened).toMatchObject({ store: 'sqlite:.ecl', pid: again.child.pid });
  const later = KurrentDBClient.connectionString(reopened.connectionString);
  const types: (string | undefined)[] = [];
  for await (const resolved of later.readStream('order-1')) types.push(resolved.event?.type);
  expect(types).toEqual(['OrderPlaced']);
  await later.dispose();
  again.child.kill('SIGINT');
  expect((await again.ended).exitCode).toBe(0);
});

const subscriberFor = (connectionString: string): string => `
import { KurrentDBClient, START } from '@kurrent/kurrentdb-client';

const client = KurrentDBClient.connectionString('${connectionString}');
for await (const { event } of client.subscribeToAll({ fromPosition: START })) {
  console.log(event.streamId, event.revision, event.type);
}
`;

test('a run that went through the gateway is proven on the store itself, to the last hash', async () => {
  const folder = project();
  const gateway = start(folder, 'gateway', '--port', '0');
  const connectionString = await printed(gateway, connectionStringPattern);
  const through = ['--store', connectionString] as const;
  const run = await ecl(folder, 'run', 'critique-revise', 'topic=the sea', ...through);
  expect(run).toMatchObject({ exitCode: 0 });
  const proven = await ecl(folder, 'verify', ...through);
  expect(proven.exitCode).toBe(0);
  gateway.child.kill('SIGTERM');
  expect((await gateway.ended).exitCode).toBe(0);
  const native = await ecl(folder, 'verify');
  expect(native).toMatchObject({ exitCode: 0, stdout: proven.stdout });
  expect(native.stdout).toMatch(/critique-revise\.\w+@\d+:[0-9a-f]{64}/);
});

test('a store that speaks the protocol already, and a port that is none, are refused as wrong usage', async () => {
  const folder = project();
  const twice = await ecl(folder, 'gateway', '--store', 'kurrentdb://127.0.0.1:1?tls=false');
  expect(twice.exitCode).toBe(2);
  expect(twice.stderr).toContain('speaks KurrentDB');
  expect((await ecl(folder, 'gateway', '--port', 'x')).exitCode).toBe(2);
});

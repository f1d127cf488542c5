/** Who follows runs from outside: the examples of docs/subscribers.md, and the same command on both stores. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createEcl, type Ecl } from 'ecl';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testFlows } from '../durability/flows.ts';
import { run, temporaryFolder, type Running } from '../durability/processes.ts';
import { cliArgs } from '../e2e/built-cli.ts';
import { sharedServer, uniqueName } from './server.ts';

const here = dirname(fileURLToPath(import.meta.url));
const server = sharedServer();
const logger = pino({ level: 'silent' });

// Within the project, so that `ecl` and the client are found as a user's project finds them.
const scratch = mkdtempSync(join(here, '.examples-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const page = readFileSync(join(here, '../../docs/subscribers.md'), 'utf8');
const examples = new Map(
  Array.from(page.matchAll(/^```js\n\/\/ ([\w-]+\.mjs)\n([\s\S]*?)^```$/gm), ([, name, code]) => [
    name!,
    code!,
  ]),
);

const openOn = async (store: string, folder: string): Promise<Ecl> => {
  const workflows = await testFlows();
  return createEcl({ store, dataFolder: folder, workflows, logger, model: 'rules' });
};

const complete = async (ecl: Ecl, tenant: string, key: string): Promise<void> => {
  const [, notes] = await testFlows();
  const run = await ecl.spawn(notes!, { key, tenant });
  await run.send({ type: 'note' });
  await run.send({ type: 'end' });
  await run.result();
};

describe.each(['watch-runs.mjs', 'follow-runs.mjs'])('the example %s', (name) => {
  test('prints what completes, and goes on where it was when it is started again', async () => {
    const tenant = uniqueName();
    const connectionString = await server();
    const folder = join(scratch, name.replace('.mjs', ''));
    mkdirSync(folder);
    writeFileSync(join(folder, name), examples.get(name)!);
    const env = { ECL_STORE: connectionString, KURRENTDB: connectionString, TENANT: tenant };
    const start = (): Running => run([join(folder, name)], { cwd: folder, env });
    const ecl = await openOn(connectionString, temporaryFolder());
    const line = (key: string): string => `run-${tenant}.notes.${key} RunCompleted`;

    const first = start();
    await complete(ecl, tenant, 'a');
    await first.line(line('a'));
    await complete(ecl, tenant, 'b');
    await first.line(line('b'));
    first.kill();
    await first.exit;
    await complete(ecl, tenant, 'c');
    const second = start();
    await second.line(line('c'));
    await complete(ecl, tenant, 'd');
    await second.line(line('d'));
    second.kill();
    const { lines } = await second.exit;
    const seen = lines.map((each) => each.split(' ')[0]!.split('.').at(-1));
    // The one whose place was perhaps not stored any more may come again.
    expect(seen.filter((key) => key !== 'b')).toEqual(['c', 'd']);
    await ecl.close();
  });
});

describe('ecl events', () => {
  const tenant = uniqueName();
  const stores = new Map<string, { store: string; folder: string }>();

  beforeAll(async () => {
    const [folder, embedded] = [temporaryFolder(), temporaryFolder()];
    stores.set('kurrentdb', { store: await server(), folder });
    stores.set('sqlite', { store: `sqlite:${embedded}`, folder: embedded });
    for (const { store, folder: data } of stores.values()) {
      const ecl = await openOn(store, data);
      for (const key of ['a', 'b']) await complete(ecl, tenant, key);
      await ecl.close();
    }
  });

  const print = async (kind: string, args: readonly string[]): Promise<Shown[]> => {
    const { store, folder } = stores.get(kind)!;
    const env = { ECL_STORE: store, ECL_DATA_FOLDER: folder };
    const command = cliArgs('events', ...args, '--json');
    const { code, stderr, lines } = await run(command, { cwd: folder, env }).exit;
    expect(code, stderr).toBe(0);
    return lines.map((each) => JSON.parse(each) as Shown);
  };

  interface Shown {
    readonly stream: string;
    readonly revision: number;
    readonly type: string;
    readonly position: string;
    readonly data: unknown;
    readonly metadata: Record<string, unknown>;
  }

  /** Without what is another one each time. */
  const alike = ({ stream, revision, type, data, metadata }: Shown): unknown => {
    const text = JSON.stringify(data).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}(?:\/\d+)?/g, '<id>');
    return { stream, revision, type, data: text, metadata: Object.keys(metadata).toSorted() };
  };

  test.each([
    [['--tenant', tenant]],
    [['--tenant', tenant, '--workflow', 'notes', '--type', 'SignalReceived']],
    [[`${tenant}.notes.b`, '--type', 'RunCompleted', '--follow']],
  ])('prints the same of both stores: %j', async (args) => {
    const [one, other] = await Promise.all([print('kurrentdb', args), print('sqlite', args)]);
    expect(one.length).toBeGreaterThan(0);
    expect(one.map(alike)).toEqual(other.map(alike));
  });

  test('goes on behind any position, on both stores', async () => {
    for (const kind of stores.keys()) {
      const everything = await print(kind, ['--tenant', tenant]);
      const at = Math.floor(everything.length / 2);
      const from = ['--from', everything[at]!.position];
      expect(await print(kind, ['--tenant', tenant, ...from])).toEqual(everything.slice(at + 1));
    }
  });
});

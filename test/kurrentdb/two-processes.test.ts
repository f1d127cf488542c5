/** Several processes on one server, without an agreement about who writes. */
import pino from 'pino';
import { createEcl } from 'ecl';
import { expect, test } from 'vitest';
import { testFlows } from '../durability/flows.ts';
import { checkHistory } from '../durability/history.ts';
import { temporaryFolder, worker } from '../durability/processes.ts';
import { sharedEnv } from '../durability/sweep.ts';
import { isSoak } from '../random.ts';
import { namedServer, sharedServer, uniqueName } from './server.ts';

const rounds = isSoak || namedServer !== undefined ? 1_000 : 40;
const everyMs = 25;
const startMs = 4_000;

const server = sharedServer();
const logger = pino({ level: 'silent' });

test(
  `two processes that signal one run in the same millisecond, ${rounds} times, lose none and repeat none`,
  { timeout: 600_000 },
  async () => {
    const shared = { connectionString: await server(), tenant: uniqueName() };
    const workflows = await testFlows();
    const folder = temporaryFolder();
    const place = { ...shared, folder };
    const ecl = await createEcl({
      store: shared.connectionString,
      dataFolder: folder,
      workflows,
      logger,
      model: 'rules',
      recover: false,
    });
    const [, notes] = workflows;
    const run = await ecl.spawn(notes!, { key: 'both', tenant: shared.tenant });
    await ecl.close();
    const env = { ...sharedEnv(shared), ECL_TEST_MODEL: 'bare' };
    const startAt = String(Date.now() + startMs);
    const processes = ['a', 'b'].map((name) =>
      worker(
        ['signals', temporaryFolder(), run.id, name, String(rounds), startAt, String(everyMs)],
        { env },
      ),
    );
    const exits = await Promise.all(processes.map(({ exit }) => exit));
    for (const exit of exits) expect(exit, exit.stderr).toMatchObject({ code: 0 });
    const said = exits.flatMap(({ lines }) => lines.map((line) => line.split(' ')));
    const sent = said.filter(([word]) => word === 'sent');
    expect(said.filter(([word]) => word === 'refused')).toEqual([]);
    expect(sent).toHaveLength(2 * rounds);

    const { events } = await checkHistory(place, workflows, []);
    const stored = events.flatMap(({ type, data, revision }) => {
      if (type !== 'SignalReceived') return [];
      const { signal } = (data as { event: { signal: string } }).event;
      return [{ signal, revision }];
    });
    const names = ['a', 'b'].flatMap((name) =>
      Array.from({ length: rounds }, (_, n) => `${name}-${n}`),
    );
    expect(stored.map(({ signal }) => signal).toSorted()).toEqual(names.toSorted());
    // Each was told a revision that holds it, or comes after it.
    const revisionOf = new Map(stored.map(({ signal, revision }) => [signal, revision]));
    for (const [, signal, revision] of sent) {
      expect(Number(revision)).toBeGreaterThanOrEqual(revisionOf.get(signal!)!);
    }
  },
);

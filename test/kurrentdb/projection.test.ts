/** Read models that are folded from a subscription which breaks off again and again. */
import pino from 'pino';
import { createEcl, type Ecl } from 'ecl';
import { afterAll, expect, test } from 'vitest';
import { testFlows } from '../durability/flows.ts';
import { temporaryFolder } from '../durability/processes.ts';
import { isSoak } from '../random.ts';
import { isCluster, namedServer, sharedServer, uniqueName } from './server.ts';
import { startProxy } from './tcp-proxy.ts';

const isThorough = isSoak || namedServer !== undefined;
const runs = isThorough ? 1_000 : 80;
const cutMs = isThorough ? 1_000 : 150;
/** Of each run: its start and its nine signals, of which the last one ends it. */
const signals = 9;
const eventsMin = 10 * runs;

const server = sharedServer();
const logger = pino({ level: 'silent' });
const opened: Ecl[] = [];
afterAll(async () => {
  for (const ecl of opened) await ecl.close();
});

const open = async (store: string, access: 'read' | 'write'): Promise<Ecl> => {
  const workflows = await testFlows();
  const dataFolder = temporaryFolder();
  const options = { store, dataFolder, workflows, logger, access, model: 'rules' } as const;
  const ecl = await createEcl({ ...options, recover: false });
  opened.push(ecl);
  return ecl;
};

const summaries = async (ecl: Ecl, tenant: string): Promise<unknown[]> => {
  const found: unknown[] = [];
  let cursor: string | undefined;
  do {
    const query = { tenant, limit: 500, ...(cursor === undefined ? {} : { cursor }) };
    const page = await ecl.list(query);
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
};

/** Runs that are spoken to beside each other. */
const write = async (ecl: Ecl, tenant: string): Promise<void> => {
  const [, notes] = await testFlows();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < runs) {
      next += 1;
      const run = await ecl.spawn(notes!, { key: `k${next}`, tenant });
      for (let n = 1; n < signals; n += 1) await run.send({ type: 'note', n });
      await run.send({ type: 'end' });
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
};

test.skipIf(isCluster)(
  `read models fed by a subscription that is cut again and again equal the fold of the log`,
  { timeout: 600_000 },
  async () => {
    const connectionString = await server();
    const proxy = await startProxy(connectionString);
    const tenant = uniqueName();
    const reader = await open(proxy.connectionString, 'read');
    expect(await summaries(reader, tenant)).toEqual([]);
    const cutting = setInterval(() => proxy.cut(), cutMs);
    const connections = proxy.counts.connections;
    await write(await open(connectionString, 'write'), tenant);
    const fed = await summaries(reader, tenant);
    clearInterval(cutting);

    const cuts = proxy.counts.connections - connections;
    expect(cuts).toBeGreaterThan(5);
    const folded = await open(connectionString, 'read');
    let count = 0;
    for await (const { stream } of folded.events({ tenant })) count += stream.length > 0 ? 1 : 0;
    expect(count).toBeGreaterThanOrEqual(eventsMin);
    expect(fed).toHaveLength(runs);
    expect(fed).toEqual(await summaries(folded, tenant));
    for (const ecl of opened.splice(0)) await ecl.close();
    await proxy.close();
  },
);

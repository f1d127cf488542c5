/**
 * A process that keeps its runs on a server behind a bad network: answers of appends are lost, connections are reset, and
 * then nothing is there for a while.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testFlows } from '../durability/flows.ts';
import { checkHistory } from '../durability/history.ts';
import { ModelServer } from '../durability/model-server.ts';
import { temporaryFolder, worker } from '../durability/processes.ts';
import { sharedEnv } from '../durability/sweep.ts';
import { isSoak, seedOf } from '../random.ts';
import { badNetwork, isCluster, namedServer, startServer, uniqueName } from './server.ts';
import { startProxy } from './tcp-proxy.ts';

const isThorough = isSoak || namedServer !== undefined;
const awayMs = isThorough ? 60_000 : 4_000;
/** Calls of the model before and after it is away: of each run there are seven. */
const callsAround = isThorough ? 700 : 84;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Time on a processor that a process has had, in milliseconds. */
const processorMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

/** Share of one processor that a process takes over a time. */
const shareOver = async (pid: number, ms: number): Promise<number> => {
  const before = processorMs(pid);
  const begun = performance.now();
  await pause(ms);
  return (processorMs(pid) - before) / (performance.now() - begun);
};

const called = (server: ModelServer, count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count;
    server.onCall = () => {
      left -= 1;
      if (left === 0) resolve();
      return true;
    };
  });

test.skipIf(isCluster)(
  'loses nothing and repeats nothing, is quiet while the server is away, and goes on when it is back',
  { timeout: 900_000 },
  async () => {
    const seed = seedOf();
    const server = await startServer();
    const proxy = await startProxy(server.connectionString, seed);
    const model = await ModelServer.start();
    const folder = temporaryFolder();
    const tenant = uniqueName();
    const direct = { connectionString: server.connectionString, tenant };
    const env = { ...model.env, ECL_TEST_MODEL: 'bare' };
    try {
      const behind = sharedEnv({ ...direct, connectionString: proxy.connectionString });
      const child = worker(['four', folder], { env: { ...env, ...behind } });
      await child.line('ready');
      proxy.faults = badNetwork;
      await called(model, callsAround);

      await proxy.away();
      await pause(1_000);
      const share = await shareOver(child.pid, awayMs);
      const goingOn = called(model, 1);
      const before = performance.now();
      await proxy.back();
      await goingOn;
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(share).toBeLessThan(0.2);

      await called(model, callsAround);
      const { lostAnswers: lost } = proxy.counts;
      child.kill();
      await child.exit;
      expect(lost).toBeGreaterThan(callsAround / 20);
      const last = await worker(['finish', folder], { env: { ...env, ...sharedEnv(direct) } }).exit;
      expect(last, last.stderr).toMatchObject({ code: 0 });
      const { ends } = await checkHistory({ ...direct, folder }, await testFlows(), model.calls);
      const completed = [...ends.values()].filter((type) => type === 'RunCompleted');
      expect(completed).toHaveLength(Number(last.lines.at(-1)?.split(' ')[1]));
      expect(completed.length).toBeGreaterThanOrEqual((2 * callsAround) / 7);
    } catch (error) {
      const again = `ECL_SEED=${seed} npx vitest run test/kurrentdb/bad-network.test.ts`;
      throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
    } finally {
      await model.stop();
      await proxy.close();
      await server.close();
    }
  },
);

import type { EclOptions } from 'ecl';
import { describe, expect, it } from 'vitest';
import * as own from '../../projections/index.ts';
import { createMemoryReadStore } from '../../src/adapters/memory/read-store.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts';
import type { ReadStore } from '../../src/ports/read-store.ts';
import type { UsageTotals } from '../../src/ports/status-queries.ts';
import type { Projection } from '../../src/runtime/projection.ts';
import { isSoak, seedOf } from '../random.ts';
import { Watched } from '../runtime/projection-truth.ts';
import { project } from '../runtime/projector-kit.ts';
import { followedLane, type FollowedLane } from './followed-lane.ts';
import { testFlows } from './flows.ts';
import { checkHistory } from './history.ts';
import { billOf, faultOf, journaled, runOf, type Bill } from './ledger.ts';
import { ModelServer, type Call } from './model-server.ts';

const kills = isSoak ? 200 : 14;
const projections: readonly Projection<unknown>[] = Object.values(own);

/** What the processes that died left behind: at each look, the rows of their checkpoint. */
class Left {
  #watched: readonly Watched[] | undefined;
  readonly #opened: { close(): unknown }[] = [];

  async compare(folder: string): Promise<void> {
    this.#watched ??= await this.#open(folder);
    for (const each of this.#watched) await each.compare();
  }

  /** How many checkpoints were looked at, by projection. */
  get looks(): number[] {
    return (this.#watched ?? []).map(({ checkpoints }) => checkpoints.size);
  }

  async close(): Promise<void> {
    for (const each of this.#opened) await each.close();
  }

  async #open(folder: string): Promise<readonly Watched[]> {
    const store = await openSqliteEventStore({ folder, access: 'read' });
    const reads = await openSqliteReadStore({ folder, access: 'read' });
    this.#opened.push(reads, store);
    return projections.map((each) => new Watched(store, reads, each));
  }
}

const billIn = ({ usd, ...totals }: UsageTotals): Bill => ({
  calls: totals.calls,
  inputTokens: totals.inputTokens,
  outputTokens: totals.outputTokens,
  cacheReadTokens: totals.cacheReadTokens,
  cacheWriteTokens: totals.cacheWriteTokens,
  nanoUsd: Math.round(usd * 1e9),
});

const queriesOf = <Queries>(projection: Projection<Queries>, reads: ReadStore): Queries => {
  const model = reads.open(projection.definition);
  return projection.queries({
    get: (key) => model.get(key),
    query: (query) => model.query(query),
    count: (where) => model.count(where),
    totals: (query) => model.totals(query),
  });
};

/** All rows of all projections, folded from nothing. */
const rebuild = async (folder: string): Promise<ReadStore> => {
  const store = await openSqliteEventStore({ folder, access: 'read' });
  const { projector, reads } = project({ projections, store, reads: createMemoryReadStore() });
  projector.start();
  await projector.caughtUp();
  await projector.close();
  await store.close();
  return reads;
};

const compareWithRebuild = async ({ folder }: FollowedLane): Promise<void> => {
  const left = await openSqliteReadStore({ folder, access: 'read' });
  const rebuilt = await rebuild(folder);
  for (const { definition } of projections) {
    const rows = left.open(definition).query();
    expect(rows.length, definition.name).toBeGreaterThan(0);
    expect(rows, definition.name).toEqual(rebuilt.open(definition).query());
  }
  const gates = [left, rebuilt].map((reads) => queriesOf(own.runSummaries, reads).gates({}));
  expect(gates[0]).toEqual(gates[1]);
  expect(gates[0]!.items.length).toBeGreaterThan(0);
  left.close();
};

/** Compares what ECL says it has spent with what the provider says it was asked for. */
const compareWithLedger = async (
  { folder, killed }: FollowedLane,
  { calls, answered }: ModelServer,
  workflows: NonNullable<EclOptions['workflows']>,
): Promise<{ lost: readonly Call[]; paidInVain: number }> => {
  const { events, repeated } = await checkHistory(folder, workflows, calls);
  const numbers = journaled(events);
  const recorded = calls.filter(({ number }) => numbers.has(number));
  const lost = calls.filter(({ number }) => !numbers.has(number));

  const reads = await openSqliteReadStore({ folder, access: 'read' });
  const { usage } = queriesOf(own.modelUsage, reads);
  expect(usage().total).toMatchObject({ errors: 0, unpriced: 0 });
  expect(billIn(usage().total)).toEqual(billOf(recorded));
  const ofRun = (run: string): Bill => billOf(recorded.filter((call) => runOf(call) === run));
  const runs = [...new Set(recorded.map(runOf))].toSorted();
  const bills = usage({ by: ['run'] }).items.map((item) => [item.run, billIn(item)]);
  expect(bills).toEqual(runs.map((run) => [run, ofRun(run)]));
  reads.close();

  const isKilled = (key: string): boolean => killed.has(key);
  expect(lost.map((call) => faultOf(call, calls, isKilled)).filter(Boolean)).toEqual([]);
  // Whatever was lost was asked for again, once for each time that it was lost.
  expect(repeated).toBe(lost.length);
  return { lost, paidInVain: lost.filter(({ number }) => answered.has(number)).length };
};

describe(`${kills} SIGKILLs, during model calls and while read models are written`, () => {
  it(
    'leave rows that are those of their checkpoint and equal a rebuild, and a bill that is the ledger of the provider but for calls under way',
    async () => {
      const seed = seedOf();
      const server = await ModelServer.start();
      const left = new Left();
      const afterKill = (folder: string): Promise<void> => left.compare(folder);
      try {
        const lane = await followedLane({ server, seed, kills, afterKill });
        await left.compare(lane.folder);
        await compareWithRebuild(lane);
        const { lost, paidInVain } = await compareWithLedger(lane, server, await testFlows());
        const isProven = [
          paidInVain > 0,
          lost.length > paidInVain,
          Math.max(...left.looks) > kills / 2,
          server.calls.length > 2 * kills,
        ];
        const said = `${server.calls.length} calls, ${lost.length} lost, ${paidInVain} of them answered; looks: ${left.looks.join(', ')}`;
        expect(isProven, said).not.toContain(false);
        if (isSoak) process.stdout.write(`${said}\n`);
      } catch (error) {
        const again = `ECL_SEED=${seed} npx vitest run test/durability/read-model-kills.test.ts`;
        throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
      } finally {
        await left.close();
        await server.stop();
      }
    },
    isSoak ? 3_600_000 : 300_000,
  );
});

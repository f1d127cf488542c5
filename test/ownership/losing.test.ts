/** What a process may still do that has lost a run, or may have: nothing that counts. */
import { expect, test } from 'vitest';
import { serial, step, type Ecl } from 'ecl';
import { leaseStream } from '../../src/core/leases.ts';
import { partitionOf } from '../../src/core/partitions.ts';
import type { EventStore, SubscriptionItem } from '../../src/ports/event-store.ts';
import { ask, notes, oneStep } from '../runtime/machines.ts';
import { Cluster, writerOf } from './kit.ts';

const flow = oneStep(ask, 'asks');

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve());
  });

/** A process that does not hear of the others any more, once `stall` was called. */
const deaf = (cluster: Cluster): { store: Partial<EventStore>; stall: () => void } => {
  let isStalled = false;
  return {
    store: {
      subscribe: async function* (options): AsyncIterable<SubscriptionItem> {
        for await (const item of cluster.events.subscribe(options)) {
          if (isStalled) await aborted(options?.signal);
          yield item;
        }
      },
    },
    stall: () => {
      isStalled = true;
    },
  };
};

/** Somebody takes the lease of a run away from its owner, as a process does that holds it for dead. */
const takeAway = async (cluster: Cluster, run: string, worker = 'somebody'): Promise<void> => {
  const partition = partitionOf(run);
  const { leases } = await cluster.leases();
  await cluster.events.append({
    stream: leaseStream(partition),
    expectedRevision: leases[partition]!.revision,
    events: [
      {
        id: '00000000-0000-4000-8000-000000000001',
        type: 'LeaseTaken',
        data: JSON.stringify({ worker }),
        metadata: {},
      },
    ],
  });
};

interface Held {
  readonly cluster: Cluster;
  readonly ecl: Ecl;
  readonly run: Awaited<ReturnType<Ecl['spawn']>>;
  readonly stall: () => void;
  readonly answer: (text: string) => void;
}

/** A run whose one step waits for its answer. */
const inFlight = async (options: { checks?: boolean } = {}): Promise<Held> => {
  let answer: (text: string) => void = () => {};
  const cluster = new Cluster(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    options,
  );
  const { store, stall } = deaf(cluster);
  const ecl = await cluster.open({ workflows: [flow], store });
  const run = await ecl.spawn(flow, { key: 'a', input: { q: 'x' } });
  await cluster.settle();
  return { cluster, ecl, run, stall, answer: (text) => answer(text) };
};

test('the late answer of a process that lost the run, and has not heard of it, is refused', async () => {
  const { cluster, run, stall, answer } = await inFlight();
  stall();
  await takeAway(cluster, run.id);
  const before = await cluster.types(run.id);
  answer('late');
  await cluster.settle();
  expect(await cluster.types(run.id)).toEqual(before);
});

test('an execution ends when the process hears that it lost the run', async () => {
  const signals: AbortSignal[] = [];
  const started: string[] = [];
  let answer: (text: string) => void = () => {};
  const cluster = new Cluster((_, { signal }) => {
    signals.push(signal);
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const asking = (name: string): ReturnType<typeof step> =>
    step({
      name,
      execute: (scope) => {
        started.push(name);
        signals.push(scope.signal);
        return scope.model.text(name);
      },
    });
  const two = serial({ id: 'two', version: '1.0.0', steps: [asking('first'), asking('second')] });
  const ecl = await cluster.open({ workflows: [two] });
  const run = await ecl.spawn(two, { key: 'a' });
  await cluster.settle();
  const actor = ecl.system.held(run.id)!;
  const before = await cluster.types(run.id);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  expect(actor.stepsUnderWay).toBe(1);

  await takeAway(cluster, run.id);
  await cluster.settle();
  expect(ecl.system.held(run.id)).toBeUndefined();
  // The signal of the step, and the one that the model call was given.
  for (const { aborted, reason } of signals) {
    expect(aborted).toBe(true);
    expect(String(reason)).toBe('Abandoned: another process owns the run');
  }
  expect(actor.stepsUnderWay).toBe(0);

  answer('late');
  await cluster.settle();
  expect(started).toEqual(['first']);
  expect(cluster.model.asked).toEqual(['first']);
  expect(await cluster.types(run.id)).toEqual(before);
});

test('a signal through a process that lost the run is stored all the same', async () => {
  const cluster = new Cluster();
  const { store, stall } = deaf(cluster);
  const ecl = await cluster.open({ workflows: [notes], store });
  const run = await ecl.spawn(notes as never, { key: 'a' });
  stall();
  await takeAway(cluster, run.id);
  const document = await run.send({ type: 'lock' });
  expect(document.state).toBe('locked');
  expect(await cluster.types(run.id)).toContain('SignalReceived');
});

test('a run that is started by a process that lost its partition is left to the owner', async () => {
  const cluster = new Cluster();
  const { store, stall } = deaf(cluster);
  const ecl = await cluster.open({ workflows: [flow], store });
  stall();
  await takeAway(cluster, 'asks.a');
  const run = await ecl.spawn(flow, { key: 'a', input: { q: 'x' } });
  await cluster.settle();
  expect(await cluster.types(run.id)).toEqual(['RunStarted', 'StateChanged', 'StepScheduled']);
  expect(cluster.model.asked).toEqual([]);
});

test('without checks the first move of the new owner refuses the late answer', async () => {
  const { cluster, run, stall, answer } = await inFlight({ checks: false });
  stall();
  const other = await cluster.open({ workflows: [flow] });
  let answerOther: (text: string) => void = () => {};
  cluster.model.answer = () =>
    new Promise((resolve) => {
      answerOther = resolve;
    });
  await takeAway(cluster, run.id, writerOf(other));
  await cluster.settle();
  expect(await cluster.writersOf(run.id, 'StepAttemptStarted')).toEqual([writerOf(other)]);
  answer('late');
  await cluster.settle();
  answerOther('of the new owner');
  const watched = await other.get(run.id);
  expect(await cluster.while(watched.result())).toBe('of the new owner');
  expect(await cluster.writersOf(run.id, 'ModelReplied')).toEqual([writerOf(other)]);
});

test('a process that has not seen its own sign of life starts nothing, and goes on when it does', async () => {
  const cluster = new Cluster();
  let isAway = false;
  const ecl = await cluster.open({
    workflows: [flow],
    store: {
      append: (append, options) =>
        isAway && append.stream === 'lease-workers'
          ? new Promise(() => {})
          : cluster.events.append(append, options),
    },
  });
  isAway = true;
  await cluster.pass(6_000);
  const run = await ecl.spawn(flow, { key: 'a', input: { q: 'x' } });
  await cluster.pass(2_000);
  expect(cluster.model.asked).toEqual([]);
  // The sign that hangs is given up with the process; its next one gets through.
  await cluster.stop(ecl);
  isAway = false;
  const next = await cluster.open({ workflows: [flow] });
  expect(await cluster.while((await next.get(run.id)).result())).toBe('yes');
});

test('a store that was away for a minute makes nobody look dead, and no answer is lost', async () => {
  const answers: ((text: string) => void)[] = [];
  const cluster = new Cluster(() => new Promise((resolve) => answers.push(resolve)));
  const { EclError } = await import('ecl');
  let isAway = false;
  const store: Partial<EventStore> = {
    append: async (append, options) => {
      if (isAway) throw new EclError('store.unavailable', { store: 'it', reason: 'away' });
      return cluster.events.append(append, options);
    },
  };
  const both = [
    await cluster.open({ workflows: [flow], store }),
    await cluster.open({ workflows: [flow], store }),
  ];
  await cluster.pass(5_000);
  const runs = [];
  for (const ecl of both) {
    const [key] = await cluster.keysOf(ecl, 'asks', 1);
    runs.push(await ecl.spawn(flow, { key: key!, input: { q: key } }));
  }
  await cluster.settle();
  const before = await cluster.leases();
  isAway = true;
  await cluster.pass(30_000);
  for (const answer of answers) answer('paid for');
  await cluster.pass(30_000);
  isAway = false;
  for (const run of runs) expect(await cluster.while(run.result(), 10_000)).toBe('paid for');
  expect(cluster.model.asked).toHaveLength(2);
  await cluster.pass(10_000);
  expect((await cluster.leases()).leases).toEqual(before.leases);
});

test('only the owner says that a run does not replay', async () => {
  const cluster = new Cluster();
  const real = await cluster.open({ workflows: [notes] });
  const run = await real.spawn(notes as never, { key: 'a' });
  const before = await cluster.types(run.id);
  const other = await cluster.open({
    workflows: [notes],
    leaveWork: true,
    store: {
      readStream: async function* (stream, options) {
        for await (const event of cluster.events.readStream(stream, options)) {
          yield stream === 'run-default.notes.a' ? { ...event, data: '{"damaged":true}' } : event;
        }
      },
    },
  });
  await expect(other.get(run.id).then((seen) => seen.result())).rejects.toThrow('quarantined');
  expect(await cluster.types(run.id)).toEqual(before);
});

test('a step within a step is recalled after another process moved the run', async () => {
  const produced: string[] = [];
  const cluster = new Cluster();
  let goOn = (): void => {};
  const twice = step({
    name: 'twice',
    execute: async (scope) => {
      const first = await scope.once('id', () => {
        produced.push('made');
        return produced.length;
      });
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return [first, await scope.once('id', () => produced.push('made again'))];
    },
  });
  const owner = await cluster.open({ workflows: [oneStep(twice, 'twice')] });
  const other = await cluster.open({ workflows: [oneStep(twice, 'twice')], leaveWork: true });
  const run = await owner.spawn('twice', { key: 'a' });
  await cluster.settle();
  await (await other.get(run.id)).resume().catch(() => {});
  goOn();
  expect(await cluster.while(run.result())).toEqual([1, 1]);
  expect(produced).toEqual(['made']);
});

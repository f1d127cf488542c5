import { describe, expect, it } from 'vitest';
import { EclError, step } from 'ecl';
import { OutcomeUnknown } from '../../src/core/errors.ts';
import type { Append, AppendResult } from '../../src/ports/event-store.ts';
import { decorated, deferred, replays, World } from './kit.ts';
import { ask, besideSignals, notes, oneStep, parentOf, waits } from './machines.ts';

const asking = oneStep(ask);
const unavailable = (): EclError =>
  new EclError('store.unavailable', { store: 'x', reason: 'gone' });

/** A world whose store does with each append what the test says. */
const moody = (
  mood: (append: Append, store: () => Promise<AppendResult>) => Promise<AppendResult>,
): World => {
  const world = new World();
  const { events } = world;
  world.events = decorated(events, {
    append: (append) => mood(append, () => events.append(append)),
  });
  return world;
};

const holds = (append: Append, type: string): boolean =>
  append.events.some((event) => event.type === type);

describe('while the store is away', () => {
  it('a paid answer is kept, and stored when it is back: no second call', async () => {
    let away = 0;
    const world = moody((append, store) => {
      if (!holds(append, 'ModelReplied') && !holds(append, 'StepSucceeded')) return store();
      away += 1;
      return away % 6 === 0 ? store() : Promise.reject(unavailable());
    });
    const ecl = await world.open({ workflows: [asking] });
    const run = await ecl.spawn(asking, { key: 'a' });
    await world.pass(60_000, 100);
    expect(await run.result()).toBe('yes');
    expect(world.model.asked).toHaveLength(1);
    expect(away).toBe(12);
    await replays(ecl, run.id);
  });

  it('a person is told at once, and nothing is stored', async () => {
    let away = true;
    const world = moody((_, store) => (away ? Promise.reject(unavailable()) : store()));
    const ecl = await world.open({ workflows: [notes] });
    await expect(ecl.spawn(notes, { key: 'a' })).rejects.toMatchObject({
      code: 'store.unavailable',
    });
    away = false;
    const run = await ecl.spawn(notes, { key: 'a' });
    away = true;
    await expect(run.send({ type: 'end' })).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(await world.count(run.id, 'SignalReceived')).toBe(0);
    away = false;
    await run.send({ type: 'end' });
    expect(await run.result()).toEqual([]);
  });

  it('a timer that comes due fires when it is back, once', async () => {
    let away = false;
    const world = moody((_, store) => (away ? Promise.reject(unavailable()) : store()));
    const minute = waits(60_000);
    const ecl = await world.open({ workflows: [minute] });
    const run = await ecl.spawn(minute, { key: 'a' });
    away = true;
    await world.pass(90_000, 60);
    away = false;
    await world.pass(5000, 10);
    expect(await run.result()).toBe('woke');
    expect(await world.count(run.id, 'TimerFired')).toBe(1);
  });

  it('a parent hears of the end of its child when it is back, once', async () => {
    let away = false;
    const world = moody((append, store) =>
      away && holds(append, 'ChildCompleted') ? Promise.reject(unavailable()) : store(),
    );
    const parent = parentOf(asking);
    const ecl = await world.open({ workflows: [parent, notes], limits: { activeActorsMax: 1 } });
    const run = await ecl.spawn(parent, { key: 'a' });
    away = true;
    await world.pass(20_000, 20);
    away = false;
    await world.pass(20_000, 20);
    expect(await run.result()).toBe('yes');
    expect(await world.count(run.id, 'ChildCompleted')).toBe(1);
  });

  it('a parent that cannot be loaded is told later', async () => {
    let hang: (text: string) => void = () => {};
    const world = new World(() => new Promise((resolve) => (hang = resolve)));
    const { events } = world;
    let away = false;
    world.events = decorated(events, {
      readStream: (stream, options) => {
        if (away && stream === 'run-default.parent.a') throw unavailable();
        return events.readStream(stream, options);
      },
    });
    const parent = parentOf(asking);
    const ecl = await world.open({ workflows: [parent, notes], limits: { activeActorsMax: 1 } });
    await ecl.spawn(parent, { key: 'a' });
    await world.settle();
    for (let n = 0; n < 5; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    away = true;
    hang('yes');
    await world.pass(20_000, 20);
    away = false;
    expect(await world.types('parent.a')).not.toContain('ChildCompleted');
    await world.pass(20_000, 20);
    expect(await world.types('parent.a')).toContain('RunCompleted');
  });
});

describe('a mailbox that is full', () => {
  it('refuses what people send, never what a step or a child came to', async () => {
    let answer: (text: string) => void = () => {};
    const world = new World(() => new Promise((resolve) => (answer = resolve)));
    const store = deferred();
    let isSlow = false;
    const { events } = world;
    world.events = decorated(events, {
      append: async (append) => {
        if (isSlow && holds(append, 'SignalReceived')) await store.promise;
        return events.append(append);
      },
    });
    let executions = 0;
    const work = step({
      name: 'work',
      execute: async (scope) => {
        executions += 1;
        const text = await scope.model.text('well?');
        return `${text} ${await scope.once('n', () => executions)}`;
      },
    });
    const machine = besideSignals(work);
    const limits = { mailboxDepthMax: 2 };
    const ecl = await world.open({ workflows: [machine], limits });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    isSlow = true;
    const sent = Array.from({ length: 5 }, () => run.send({ type: 'note' }));
    const outcomes = Promise.allSettled(sent);
    await world.settle();
    answer('yes');
    await world.settle();
    store.resolve();
    const refused = (await outcomes).filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([
      { reason: { code: 'run.limit-reached' } },
      { reason: { code: 'run.limit-reached' } },
    ]);
    await world.pass(10_000);
    expect(await run.result()).toBe('yes 1');
    expect([executions, world.model.asked.length]).toEqual([1, 1]);
    expect(await world.types(run.id)).not.toContain('StepAttemptFailed');
    await replays(ecl, run.id);
  });
});

describe('an append whose outcome is unknown', () => {
  it('is repeated unchanged until it is known: nothing is lost, nothing is there twice', async () => {
    let n = 0;
    const world = moody(async (append, store) => {
      n += 1;
      // In turn: stored and not acknowledged, not stored and not acknowledged, stored.
      if (n % 3 === 1) await store();
      if (n % 3 !== 0)
        throw new OutcomeUnknown({ stream: append.stream, reason: 'connection lost' });
      return store();
    });
    const two = step({
      name: 'two',
      execute: async ({ model }) => [await model.text('one'), await model.text('two')].join(),
    });
    const machine = oneStep(two);
    const ecl = await world.open({ workflows: [machine] });
    const spawned = ecl.spawn(machine, { key: 'a' });
    await world.pass(60_000, 100);
    const run = await spawned;
    expect(await run.result()).toBe('yes,yes');
    expect(world.model.asked).toEqual(['one', 'two']);
    expect(await world.types(run.id)).toEqual([
      'RunStarted',
      'StateChanged',
      'StepScheduled',
      'ModelReplied',
      'ModelReplied',
      'StepSucceeded',
      'StateChanged',
      'RunCompleted',
    ]);
    await replays(ecl, run.id);
  });

  it('that landed for another process is given up: the run is loaded again', async () => {
    const world = new World();
    const left = await world.open({ workflows: [notes] });
    const run = await left.spawn(notes, { key: 'a' });
    const { events } = world;
    let away = false;
    world.events = decorated(events, {
      readStream: (stream, options) => {
        if (away) throw unavailable();
        return events.readStream(stream, options);
      },
    });
    const right = await world.open({ workflows: [notes] });
    const twin = await right.get('notes.a');
    await run.send({ type: 'note', what: 1 });
    away = true;
    await expect(twin.send({ type: 'note', what: 2 })).rejects.toMatchObject({
      code: 'store.unavailable',
    });
    away = false;
    await twin.send({ type: 'note', what: 2 });
    await twin.send({ type: 'end' });
    expect(await twin.result()).toEqual([1, 2]);
  });
});

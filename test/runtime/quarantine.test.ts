import { describe, expect, it } from 'vitest';
import { assign, setup, type AnyStateMachine } from 'xstate';
import type { Ecl } from 'ecl';
import { replays, World } from './kit.ts';
import { ask, notes, outputOf } from './machines.ts';

/** What a guard should never look at. */
const weather = { isFine: true };

const fickle = setup({
  actors: { ask },
  guards: { isFine: () => weather.isFine },
}).createMachine({
  id: 'fickle',
  version: '1.0.0',
  initial: 'waiting',
  states: {
    waiting: { on: { go: [{ guard: 'isFine', target: 'out' }, { target: 'home' }] } },
    out: { invoke: { src: 'ask', onDone: 'done' }, on: { back: 'home' } },
    home: { on: { go: 'out' } },
    done: { type: 'final' },
  },
});

/** Asks, and keeps the answer by an action that the test writes. */
const keeping = (
  keep: (answer: unknown) => unknown,
  parallel = false,
  kept: unknown[] = [],
): AnyStateMachine => {
  const region = (target: string): object => ({
    initial: 'on',
    states: {
      on: {
        invoke: { src: 'ask', input: { q: target }, onDone: { target: 'off', actions: 'keep' } },
      },
      off: { type: 'final' },
    },
  });
  const machine = setup({
    actors: { ask },
    actions: {
      keep: assign({
        kept: ({ context, event }) => [
          ...(context as { kept: unknown[] }).kept,
          keep(outputOf({ event })),
        ],
      }) as never,
    },
  }).createMachine({
    id: 'keeping',
    version: '1.0.0',
    type: 'parallel',
    context: { kept },
    states: parallel ? { one: region('one'), two: region('two') } : { one: region('one') },
    output: ({ context }: { context: { kept: unknown[] } }) => context.kept,
  } as never);
  return machine as unknown as AnyStateMachine;
};

const version = (target: string): AnyStateMachine =>
  setup({ actors: { ask } }).createMachine({
    id: 'changing',
    version: '1.0.0',
    initial: 'waiting',
    states: {
      waiting: { on: { go: target } },
      [target]: { invoke: { src: 'ask', onDone: 'done' } },
      done: { type: 'final' },
    },
  } as never) as unknown as AnyStateMachine;

const fifty = Array.from({ length: 50 }, (_, n) => `n${n}`);

/** Fifty other runs, started before and ended after something happened to one. */
const startOthers = async (ecl: Ecl): Promise<void> => {
  await Promise.all(fifty.map((key) => ecl.spawn(notes, { key })));
};
const endOthers = async (ecl: Ecl): Promise<void> => {
  const results = await Promise.all(
    fifty.map(async (key) => {
      const run = await ecl.get(`notes.${key}`);
      await run.send({ type: 'end' });
      return run.result();
    }),
  );
  expect(results).toHaveLength(50);
};

const wentOut = async (world: World): Promise<Ecl> => {
  weather.isFine = true;
  world.model.answer = () => new Promise(() => {});
  const ecl = await world.open({ workflows: [fickle, notes] });
  await startOthers(ecl);
  const run = await ecl.spawn(fickle, { key: 'a' });
  await run.send({ type: 'go' });
  await world.settle();
  return ecl;
};

describe('a machine that decides otherwise on replay', () => {
  it('quarantines its run, naming stream, revision and reason; fifty others finish', async () => {
    const world = new World();
    const first = await wentOut(world);
    weather.isFine = false;
    const second = await world.restart(first, { workflows: [fickle, notes] });
    await world.settle();
    const run = await second.get('fickle.a');
    expect(await run.document()).toMatchObject({
      id: 'fickle.a',
      status: 'quarantined',
      error: {
        code: 'run.quarantined',
        details: { revision: 3, type: 'StateChanged', expected: {}, got: {} },
      },
    });
    const expected = { code: 'run.quarantined', details: { run: 'fickle.a', revision: 3 } };
    await expect(run.result()).rejects.toMatchObject(expected);
    await expect(run.send({ type: 'back' })).rejects.toMatchObject(expected);
    const last = (await world.journal('fickle.a')).at(-1)!;
    expect(last).toMatchObject({
      type: 'RunQuarantined',
      data: {
        revision: 3,
        reason: expect.stringContaining('StateChanged'),
        expected: { type: 'StateChanged', data: { to: 'home' } },
        got: { type: 'StateChanged', data: { to: 'out' } },
        pending: false,
      },
    });
    expect((await second.list({ status: 'quarantined' })).items).toMatchObject([
      { id: 'fickle.a' },
    ]);
    await endOthers(second);
    expect(world.model.asked).toHaveLength(1);
  });

  it('is quarantined once, however often it is loaded', async () => {
    const world = new World();
    let ecl = await wentOut(world);
    weather.isFine = false;
    for (let start = 0; start < 4; start += 1) {
      ecl = await world.restart(ecl, { workflows: [fickle, notes] });
      await ecl.get('fickle.a');
    }
    expect(await world.count('fickle.a', 'RunQuarantined')).toBe(1);
  });

  it('goes on by a resume, once it decides as before', async () => {
    const world = new World();
    const first = await wentOut(world);
    weather.isFine = false;
    const second = await world.restart(first, { workflows: [fickle, notes] });
    await second.get('fickle.a');
    weather.isFine = true;
    world.model.answer = () => 'yes';
    const third = await world.restart(second, { workflows: [fickle, notes] });
    const run = await third.get('fickle.a');
    expect((await run.document()).status).toBe('quarantined');
    await world.settle();
    expect(world.model.asked).toHaveLength(1);
    await run.resume();
    await world.settle();
    expect((await run.document()).status).toBe('completed');
    await replays(third, 'fickle.a');
  });

  it('is found when its run comes back into memory: whoever waits for it is told', async () => {
    const world = new World();
    weather.isFine = true;
    const ecl = await world.open({ workflows: [fickle, notes], limits: { activeActorsMax: 1 } });
    const run = await ecl.spawn(fickle, { key: 'a' });
    weather.isFine = false;
    await run.send({ type: 'go' });
    await startOthers(ecl);
    await world.settle();
    const waiting = run.result();
    const told = expect(waiting).rejects.toMatchObject({ code: 'run.quarantined' });
    await world.settle();
    await ecl.spawn(notes, { key: 'one-more' });
    await world.settle();
    weather.isFine = true;
    await expect(run.send({ type: 'go' })).rejects.toMatchObject({ code: 'run.quarantined' });
    await told;
  });
});

describe('a context that no journal can hold', () => {
  it('is refused at the start with its path, and nothing is stored', async () => {
    const world = new World();
    const born = setup({}).createMachine({
      id: 'born',
      version: '1.0.0',
      context: { deep: { call: (): void => {} } },
      initial: 'on',
      states: { on: {} },
    });
    const ecl = await world.open({ workflows: [born] });
    await expect(ecl.spawn(born, { key: 'a' })).rejects.toMatchObject({
      code: 'input.not-json',
      details: { path: expect.stringContaining('call') },
    });
    expect(await world.types('born.a')).toEqual([]);
    await expect(ecl.get('born.a')).rejects.toMatchObject({ code: 'run.not-found' });
  });

  it('quarantines the run and keeps the fact; mended code goes on from it without a second call', async () => {
    const world = new World();
    const broken = keeping((answer) => () => answer);
    const first = await world.open({ workflows: [broken, notes] });
    await startOthers(first);
    const run = await first.spawn(broken, { key: 'a' });
    const told = expect(run.result()).rejects.toMatchObject({ code: 'run.quarantined' });
    await world.settle();
    await told;
    const journal = await world.journal(run.id);
    expect(journal.map(({ type }) => type).slice(-2)).toEqual(['StepSucceeded', 'RunQuarantined']);
    expect(journal.at(-1)!.data).toMatchObject({
      revision: journal.length - 2,
      pending: true,
      reason: expect.stringContaining('$.kept[0]'),
    });
    await expect(run.resume()).rejects.toMatchObject({ code: 'run.quarantined' });
    await endOthers(first);
    const mended = keeping((answer) => answer);
    const second = await world.restart(first, { workflows: [mended] });
    await world.settle();
    const again = await second.get(run.id);
    expect((await again.document()).status).toBe('quarantined');
    await again.resume();
    expect(await again.result()).toEqual(['yes']);
    expect(world.model.asked).toHaveLength(1);
    await replays(second, run.id);
  });

  it('keeps every fact that comes while it is quarantined', async () => {
    const world = new World();
    const broken = keeping((answer) => () => answer, true);
    const first = await world.open({ workflows: [broken] });
    const run = await first.spawn(broken, { key: 'a' });
    await world.settle();
    expect((await run.document()).status).toBe('quarantined');
    expect(await world.count(run.id, 'StepSucceeded')).toBe(2);
    const mended = keeping((answer) => answer, true);
    const second = await world.restart(first, { workflows: [mended] });
    const again = await second.get(run.id);
    await again.resume();
    await world.settle();
    expect(await again.result()).toEqual(['yes', 'yes']);
    expect(world.model.asked.toSorted()).toEqual(['one', 'two']);
    await replays(second, run.id);
  });

  it('keeps them while another machine does not even replay its beginning', async () => {
    const world = new World();
    const broken = keeping((answer) => () => answer, true);
    const first = await world.open({ workflows: [broken] });
    const run = await first.spawn(broken, { key: 'a' });
    await world.settle();
    const other = keeping((answer) => answer, true, ['from before']);
    const second = await world.restart(first, { workflows: [other] });
    expect((await (await second.get(run.id)).document()).status).toBe('quarantined');
    expect((await world.journal(run.id)).at(-1)).toMatchObject({
      type: 'RunQuarantined',
      data: { pending: false },
    });
    const mended = keeping((answer) => answer, true);
    const third = await world.restart(second, { workflows: [mended] });
    const again = await third.get(run.id);
    await again.resume();
    expect(await again.result()).toEqual(['yes', 'yes']);
    expect(world.model.asked.toSorted()).toEqual(['one', 'two']);
    await replays(third, run.id);
  });
});

describe('a machine of another structure under a live run', () => {
  it('blocks it visibly, with both hashes; it goes on when the old machine is registered again', async () => {
    const world = new World();
    const before = version('there');
    const after = version('elsewhere');
    const first = await world.open({ workflows: [before, notes] });
    await startOthers(first);
    await first.spawn(before, { key: 'a' });
    const second = await world.restart(first, { workflows: [after, notes] });
    const blocked = await second.get('changing.a');
    const document = await blocked.document();
    expect(document).toMatchObject({ status: 'blocked', error: { code: 'run.blocked' } });
    const { details, message } = document.error!;
    expect(details).toMatchObject({
      expected: expect.stringMatching(/^[0-9a-f]{64}$/),
      got: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(message).toContain(String(details!['expected']).slice(0, 12));
    expect(message).toContain(String(details!['got']).slice(0, 12));
    await expect(blocked.send({ type: 'go' })).rejects.toMatchObject({ code: 'run.blocked' });
    await expect(blocked.result()).rejects.toMatchObject({ code: 'run.blocked' });
    expect((await second.list({ status: 'blocked' })).items).toMatchObject([{ id: 'changing.a' }]);
    expect(await world.types('changing.a')).not.toContain('RunQuarantined');
    await endOthers(second);
    const third = await world.restart(second, { workflows: [before, notes] });
    const run = await third.get('changing.a');
    await run.send({ type: 'go' });
    await world.settle();
    expect((await run.document()).status).toBe('completed');
  });

  it('blocks a run whose workflow nobody registered, and says which', async () => {
    const world = new World();
    const first = await world.open({ workflows: [notes] });
    await first.spawn(notes, { key: 'a' });
    const second = await world.restart(first, {});
    await expect((await second.get('notes.a')).result()).rejects.toMatchObject({
      code: 'run.blocked',
      message: expect.stringContaining('notes@1.0.0'),
    });
  });
});

import { describe, expect, it } from 'vitest';
import { emit, sendParent, sendTo, setup, type AnyStateMachine } from 'xstate';
import { EclError } from 'ecl';
import { decorated, replays, World } from './kit.ts';
import { notes } from './machines.ts';

describe('a custom action', () => {
  const machineWith = (told: string[]): AnyStateMachine =>
    setup({
      actions: {
        tell: (_, what: string) => {
          told.push(what);
        },
        fail: () => {
          throw new Error('nobody is listening');
        },
      },
    }).createMachine({
      id: 'telling',
      version: '1.0.0',
      initial: 'one',
      states: {
        one: {
          entry: [{ type: 'tell', params: 'one' }],
          on: { go: { target: 'two', actions: ['fail', { type: 'tell', params: 'going' }] } },
        },
        two: { entry: [{ type: 'tell', params: 'two' }], on: { go: 'done' } },
        done: { type: 'final' },
      },
    });

  it('is called once, and not again by a replay; one that fails stops nothing', async () => {
    const world = new World();
    const told: string[] = [];
    const machine = machineWith(told);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await run.send({ type: 'go' });
    expect(told).toEqual(['one', 'going', 'two']);
    const second = await world.restart(first, { workflows: [machine] });
    await replays(second, run.id);
    const again = await second.get(run.id);
    await again.send({ type: 'go' });
    expect((await again.document()).status).toBe('completed');
    expect(told).toEqual(['one', 'going', 'two']);
  });

  it('is not called for a decision that was not stored', async () => {
    const world = new World();
    const told: string[] = [];
    const machine = machineWith(told);
    const { events } = world;
    let away = false;
    world.events = decorated(events, {
      append: (append) =>
        away
          ? Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }))
          : events.append(append),
    });
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    away = true;
    await expect(run.send({ type: 'go' })).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(told).toEqual(['one']);
    away = false;
    await run.send({ type: 'go' });
    expect(told).toEqual(['one', 'going', 'two']);
  });
});

describe('an emitted event', () => {
  it('reaches those who listen once it is stored, also after the run left memory', async () => {
    const world = new World();
    const emitting = setup({
      types: { emitted: {} as { type: 'draft.ready' } | { type: 'other' } },
    }).createMachine({
      id: 'emitting',
      version: '1.0.0',
      on: { go: { actions: [emit({ type: 'draft.ready' }), emit({ type: 'other' })] } },
    });
    const limits = { activeActorsMax: 1 };
    const ecl = await world.open({ workflows: [emitting, notes], limits });
    const run = await ecl.spawn(emitting, { key: 'a' });
    const heard: string[] = [];
    run.on('draft.ready', ({ type }) => heard.push(`named ${type}`));
    const all = run.on('*', ({ type }) => heard.push(`all ${type}`));
    await run.send({ type: 'go' });
    for (let n = 0; n < 3; n += 1) await ecl.spawn(notes, { key: `n${n}` });
    await world.settle();
    all.unsubscribe();
    await run.send({ type: 'go' });
    expect(heard).toEqual([
      'named draft.ready',
      'all draft.ready',
      'all other',
      'named draft.ready',
    ]);
    expect(await world.count(run.id, 'EventEmitted')).toBe(4);
  });
});

describe('an event that is sent later to another run', () => {
  it('arrives at its time, once, over a restart', async () => {
    const world = new World();
    const child = setup({}).createMachine({
      id: 'child',
      version: '1.0.0',
      initial: 'on',
      entry: sendParent({ type: 'child.said' }, { delay: 60_000 }),
      states: { on: { on: { 'parent.said': 'done' } }, done: { type: 'final' } },
    }) as unknown as AnyStateMachine;
    const parent = setup({ actors: { child } }).createMachine({
      id: 'parent',
      version: '1.0.0',
      initial: 'on',
      states: {
        on: {
          invoke: { id: 'kid', src: 'child', onDone: 'done' },
          on: {
            'child.said': { actions: sendTo('kid', { type: 'parent.said' }, { delay: 60_000 }) },
          },
        },
        done: { type: 'final' },
      },
    }) as unknown as AnyStateMachine;
    let ecl = await world.open({ workflows: [parent] });
    await ecl.spawn(parent, { key: 'a' });
    for (let minute = 0; minute < 4; minute += 1) {
      await world.pass(29_000, 29);
      ecl = await world.restart(ecl, { workflows: [parent] });
      await world.pass(29_000, 29);
      ecl = await world.restart(ecl, { workflows: [parent] });
      if (minute === 0) expect(await world.count('parent.a', 'SignalReceived')).toBe(0);
    }
    expect((await (await ecl.get('parent.a')).document()).status).toBe('completed');
    expect(await world.count('parent.a', 'SignalReceived')).toBe(1);
    expect(await world.count('parent.a~1', 'SignalReceived')).toBe(1);
    await replays(ecl, 'parent.a');
    await replays(ecl, 'parent.a~1');
  });
});

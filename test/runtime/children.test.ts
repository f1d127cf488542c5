import { describe, expect, it } from 'vitest';
import {
  assign,
  enqueueActions,
  sendParent,
  sendTo,
  setup,
  type AnyStateMachine,
  type EventObject,
} from 'xstate';
import { ask, notes, oneStep, outputOf, parentOf, payloadOf } from './machines.ts';
import { EclError } from 'ecl';
import { atEveryAppend, decorated, deferred, replays, World } from './kit.ts';

const asking = oneStep(ask, 'asking');
const parent = parentOf(asking);

const named = (type: string, payload: object = {}): EventObject => ({ type, ...payload });

/** Sends three notes to its child in the moment of its start, and ends with what the child ended with. */
const speaking = setup({ actors: { notes } }).createMachine({
  id: 'speaking',
  version: '1.0.0',
  context: { got: null },
  initial: 'on',
  states: {
    on: {
      invoke: {
        id: 'ear',
        src: 'notes',
        onDone: { target: 'done', actions: assign({ got: outputOf }) },
      },
      entry: enqueueActions(({ enqueue }) => {
        for (const what of [1, 2, 3]) enqueue(sendTo('ear', named('note', { what }) as never));
      }),
      on: { 'say.end': { actions: sendTo('ear', named('end') as never) } },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => context.got,
}) as unknown as AnyStateMachine;

/** Tells its parent three things, then ends. */
const chatty = setup({}).createMachine({
  id: 'chatty',
  version: '1.0.0',
  initial: 'on',
  states: {
    on: {
      entry: enqueueActions(({ enqueue }) => {
        for (const what of [1, 2, 3]) enqueue(sendParent(named('child.said', { what })));
      }),
      after: { 1000: 'done' },
    },
    done: { type: 'final' },
  },
}) as unknown as AnyStateMachine;

const listener = setup({ actors: { chatty } }).createMachine({
  id: 'listener',
  version: '1.0.0',
  context: { heard: [] as unknown[] },
  initial: 'on',
  states: {
    on: {
      invoke: { src: 'chatty', onDone: 'done' },
      on: {
        'child.said': {
          actions: assign({
            heard: ({ context, event }) => [...context.heard, payloadOf('what')({ event })],
          }),
        },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => context.heard,
}) as unknown as AnyStateMachine;

/** A machine in a machine in a machine: `level-1` in `level-2` in …, the innermost one given. */
const nested = (innermost: AnyStateMachine, levels: number): AnyStateMachine =>
  Array.from({ length: levels }).reduce<AnyStateMachine>(
    (inner, _, index) => parentOf(inner, `level-${index + 1}`),
    innermost,
  );

describe('a child run', () => {
  it('gives its output to its parent', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [parent] });
    const run = await ecl.spawn(parent, { key: 'a' });
    expect(await run.result()).toBe('yes');
    expect(await world.types('parent.a~1')).toContain('RunCompleted');
    await replays(ecl, 'parent.a');
    await replays(ecl, 'parent.a~1');
  });

  it('takes in order what its parent sends in the moment of its start', async () => {
    const world = new World();
    const ecl = await world.open({ workflows: [speaking] });
    const run = await ecl.spawn(speaking, { key: 'a' });
    await world.settle();
    await run.send(named('say.end'));
    expect(await run.result()).toEqual([1, 2, 3]);
    await replays(ecl, 'speaking.a');
    await replays(ecl, 'speaking.a~1');
  });

  it('that cannot start fails to its parent', async () => {
    const world = new World();
    const broken = setup({}).createMachine({
      id: 'broken',
      version: '1.0.0',
      context: () => {
        throw new Error('no context today');
      },
      initial: 'on',
      states: { on: {} },
    });
    const above = parentOf(broken);
    const ecl = await world.open({ workflows: [above] });
    const run = await ecl.spawn(above, { key: 'a' });
    await world.pass(20_000);
    expect(await run.result()).toMatchObject({ message: expect.stringContaining('no context') });
  });

  it('is rebuilt with its parent and its grandparent, and its work is not repeated', async () => {
    const world = new World();
    const answer = deferred<string>();
    world.model.answer = (_, { number }) => (number === 1 ? answer.promise : 'again');
    const family = nested(asking, 2);
    const first = await world.open({ workflows: [family] });
    await first.spawn(family, { key: 'a' });
    await world.settle();
    const second = await world.restart(first, { workflows: [family] });
    const run = await second.get('level-2.a');
    await second.get('level-2.a~1~1');
    await world.settle();
    expect(await run.result()).toBe('again');
    expect(world.model.asked).toHaveLength(2);
    const third = await world.restart(second, { workflows: [family] });
    expect(await (await third.get('level-2.a')).result()).toBe('again');
    expect(world.model.asked).toHaveLength(2);
    for (const id of ['level-2.a', 'level-2.a~1', 'level-2.a~1~1']) await replays(third, id);
  });

  it('is cancelled when its parent leaves the state that invoked it', async () => {
    const world = new World(() => new Promise(() => {}));
    const ecl = await world.open({ workflows: [parent] });
    const run = await ecl.spawn(parent, { key: 'a' });
    await world.settle();
    await run.send(named('child.left'));
    await world.settle();
    expect((await (await ecl.get('parent.a~1')).document()).status).toBe('cancelled');
    expect((await run.document()).state).toBe('left');
    await run.send(named('child.again'));
    await world.settle();
    expect((await (await ecl.get('parent.a~2')).document()).status).toBe('running');
  });

  it('is cancelled with its parent, three levels deep, also when the process dies in between', async () => {
    const world = new World(() => new Promise(() => {}));
    const family = nested(asking, 2);
    const first = await world.open({ workflows: [family] });
    const run = await first.spawn(family, { key: 'a' });
    await world.settle();
    void run.cancel('enough').catch(() => {});
    // Killed as soon as the parent's cancellation is stored, before its children hear of it.
    while ((await world.types('level-2.a')).at(-1) !== 'RunCancelled') await world.settle(1);
    const second = await world.restart(first, { workflows: [family] });
    await second.get('level-2.a');
    await world.settle(60);
    for (const id of ['level-2.a', 'level-2.a~1', 'level-2.a~1~1']) {
      expect((await (await second.get(id)).document()).status).toBe('cancelled');
      await replays(second, id);
    }
  });

  it('that ends long after its parent does not move the end of its parent', async () => {
    const world = new World(() => new Promise(() => {}));
    const { events } = world;
    let away = true;
    world.events = decorated(events, {
      append: (append) =>
        away &&
        append.stream === 'run-default.parent.a~1' &&
        append.expectedRevision !== 'no-stream'
          ? Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }))
          : events.append(append),
    });
    const ecl = await world.open({ workflows: [parent] });
    const run = await ecl.spawn(parent, { key: 'a' });
    await world.settle();
    await run.cancel('enough');
    const { endedAt } = await run.document();
    await world.pass(60_000);
    away = false;
    await world.pass(10_000);
    expect(await world.types(run.id)).toContain('ChildFailed');
    expect(await run.document()).toMatchObject({ status: 'cancelled', endedAt });
  });

  it('that fails is an error to its parent', async () => {
    const world = new World();
    const failing = setup({}).createMachine({
      id: 'failing',
      version: '1.0.0',
      initial: 'failed',
      states: { failed: { type: 'final', tags: ['failed'] } },
      output: { error: { code: 'tide.out', message: 'no water' } },
    }) as unknown as AnyStateMachine;
    const above = parentOf(failing);
    const ecl = await world.open({ workflows: [above] });
    const run = await ecl.spawn(above, { key: 'a' });
    expect(await run.result()).toMatchObject({ code: 'tide.out', message: 'no water' });
  });

  it('nests eight deep, and beyond that fails to its parent', async () => {
    const world = new World();
    const eight = nested(asking, 8);
    const nine = nested(asking, 9);
    const ecl = await world.open({ workflows: [eight, nine] });
    const fits = await ecl.spawn(eight, { key: 'a' });
    await world.settle(100);
    expect(await fits.result()).toBe('yes');
    const tooDeep = await ecl.spawn(nine, { key: 'a' });
    await world.pass(20_000);
    expect(await tooDeep.result()).toMatchObject({ code: 'child.too-deep' });
  });

  it('that ends in the moment of its start ends once for its parent', async () => {
    const world = new World();
    const brief = setup({}).createMachine({
      id: 'brief',
      version: '1.0.0',
      initial: 'done',
      states: { done: { type: 'final' } },
      output: 'already',
    }) as unknown as AnyStateMachine;
    const above = parentOf(brief);
    const ecl = await world.open({ workflows: [above] });
    const run = await ecl.spawn(above, { key: 'a' });
    expect(await run.result()).toBe('already');
    await world.settle();
    expect(await world.count('parent.a', 'ChildCompleted')).toBe(1);
  });

  it('ends for its parent after all that it said before, also when that is delayed', async () => {
    const world = new World();
    const { events } = world;
    let refusals = 0;
    world.events = decorated(events, {
      append: (append) => {
        const isSaid = append.events.some(({ data }) => data.includes('child.said'));
        const isReceived = append.events.some(({ type }) => type === 'SignalReceived');
        if (!isSaid || !isReceived || refusals > 0) return events.append(append);
        refusals += 1;
        return Promise.reject(new EclError('store.unavailable', { store: 'x', reason: 'gone' }));
      },
    });
    const ecl = await world.open({ workflows: [listener] });
    const run = await ecl.spawn(listener, { key: 'a' });
    await world.pass(1500, 15);
    expect((await (await ecl.get('listener.a~1')).document()).status).toBe('completed');
    expect((await run.document()).status).toBe('running');
    await world.pass(5000);
    expect(await run.result()).toEqual([1, 2, 3]);
  });

  it('ends once for its parent, however often it is told', async () => {
    const world = new World();
    const first = await world.open({ workflows: [parent] });
    const run = await first.spawn(parent, { key: 'a' });
    await run.result();
    for (let start = 0, ecl = first; start < 3; start += 1) {
      ecl = await world.restart(ecl, { workflows: [parent] });
      await Promise.all([ecl.get('parent.a'), ecl.get('parent.a~1')]);
      await world.settle();
    }
    expect(await world.count('parent.a', 'ChildCompleted')).toBe(1);
  });
});

describe('signals between runs', () => {
  it('reach the parent in order, once, at whichever append the process dies', async () => {
    const kills = await atEveryAppend({
      options: { workflows: [listener] },
      live: async (ecl, world) => {
        await ecl.spawn(listener, { key: 'a' });
        await world.pass(2000);
      },
      finish: async (ecl, world, killed) => {
        const run = await ecl.spawn(listener, { key: 'a' });
        await world.pass(5000, 20);
        expect(await run.result(), killed).toEqual([1, 2, 3]);
        await replays(ecl, 'listener.a');
        await replays(ecl, 'listener.a~1');
      },
    });
    expect(kills).toBeGreaterThan(10);
  });

  it('reach a child in order, once, at whichever append the process dies', async () => {
    const kills = await atEveryAppend({
      options: { workflows: [speaking] },
      live: async (ecl, world) => {
        await ecl.spawn(speaking, { key: 'a' });
        await world.pass(5000);
      },
      finish: async (ecl, world, killed) => {
        const run = await ecl.spawn(speaking, { key: 'a' });
        await world.pass(5000, 20);
        await run.send(named('say.end'));
        await world.pass(5000, 20);
        expect(await run.result(), killed).toEqual([1, 2, 3]);
        await replays(ecl, 'speaking.a');
        await replays(ecl, 'speaking.a~1');
      },
    });
    expect(kills).toBeGreaterThan(10);
  });
});

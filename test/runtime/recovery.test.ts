import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { rounds, serial, step, verdict } from 'ecl';
import { z } from 'zod';
import { atEveryAppend, replays, World } from './kit.ts';
import { ask, notes, oneStep, outputOf } from './machines.ts';

const Text = z.object({ text: z.string() });

const draft = step({
  name: 'draft',
  input: z.object({ topic: z.string() }),
  output: Text,
  execute: async ({ input, model }) => ({ text: await model.text(`draft ${input.topic}`) }),
  revise: async ({ previous, feedback, model }) => ({
    text: await model.text(`revise ${previous.text} by ${feedback}`),
  }),
});
const review = step({
  name: 'review',
  input: Text,
  output: verdict(),
  execute: async ({ input, model }) => {
    const first = await model.text(`review ${input.text}`);
    const second = await model.text(`are you sure that ${first}`);
    return {
      decision: second === 'yes' ? ('pass' as const) : ('revise' as const),
      feedback: second,
    };
  },
});
const produce = step({
  name: 'produce',
  input: Text,
  output: z.object({ page: z.string() }),
  execute: async ({ input, model, artifacts }) => {
    const page = await model.text(`produce ${input.text}`);
    await artifacts.write({ name: 'page.md', content: page });
    return { page };
  },
});
const essay = serial({
  id: 'essay',
  version: '1.0.0',
  steps: [draft, rounds({ review, of: draft, max: 3 }), produce],
});

/** The reviewer is satisfied with the second draft. */
const answers = (asked: string): string => {
  if (asked.startsWith('are you sure')) return asked.includes('good') ? 'yes' : 'no';
  if (asked.startsWith('review')) return asked.includes('revised') ? 'good' : 'bad';
  if (asked.startsWith('revise')) return 'revised';
  return `[${asked}]`;
};

const honest = (): World => new World((request) => answers(request.messages.at(-1)?.content ?? ''));

/** Each question is asked once; the one in flight at a kill at most once more, and only when its reply was not stored. */
const asksOnce = async (world: World, run: string, kills: number, why: string): Promise<void> => {
  const replied = await world.count(run, 'ModelReplied');
  expect(world.model.asked.length, why).toBeLessThanOrEqual(replied + kills);
  expect(new Set(world.model.asked).size, why).toBe(replied);
};

describe('a process that dies at any append', () => {
  it('leaves a run that ends all the same, and asks no model again what it has answered', async () => {
    const kills = await atEveryAppend({
      world: honest,
      options: { workflows: [essay] },
      live: async (ecl, world) => {
        const run = await ecl.spawn(essay, { key: 'a', input: { topic: 'sea' } });
        await world.settle(60);
        await run.document();
      },
      finish: async (ecl, world, killed) => {
        const run = await ecl.spawn(essay, { key: 'a', input: { topic: 'sea' } });
        await world.settle(60);
        expect(await run.result(), killed).toEqual({ page: '[produce revised]' });
        await asksOnce(world, run.id, 1, killed);
        const asked = new Set(world.model.asked).size;
        expect(asked, killed).toBe(7);
        await replays(ecl, run.id);
      },
    });
    // Before and after each of 14 appends: the start, 7 replies, 5 results and an artifact.
    expect(kills).toBe(28);
  });

  it('and dies again at its first append after each restart, gets there in the end', async () => {
    const world = honest();
    let ecl = await world.open({ workflows: [essay] });
    let restarts = 0;
    for (; restarts < 200; restarts += 1) {
      const armed = world.killAt(ecl, 2, 'after');
      await ecl.spawn(essay, { key: 'a', input: { topic: 'sea' } }).catch(() => {});
      await world.settle(60);
      armed.disarm();
      if (!armed.hit) break;
      ecl = await world.restart(ecl, { workflows: [essay] });
    }
    const run = await ecl.get('essay.a');
    expect(await run.result()).toEqual({ page: '[produce revised]' });
    expect(restarts).toBeGreaterThan(5);
    await asksOnce(world, run.id, 0, 'killed after each second append');
  });
});

describe('a process that starts', () => {
  it('takes up by itself what others left: steps, retries, timers and children', async () => {
    const world = new World();
    const both = setup({ actors: { ask, notes } }).createMachine({
      id: 'both',
      version: '1.0.0',
      type: 'parallel',
      context: { got: '' },
      states: {
        asking: {
          initial: 'on',
          states: {
            on: {
              invoke: {
                src: 'ask',
                onDone: { target: 'off', actions: assign({ got: outputOf as never }) },
              },
            },
            off: { type: 'final' },
          },
        },
        sleeping: {
          initial: 'on',
          states: { on: { after: { 60_000: 'off' } }, off: { type: 'final' } },
        },
      },
      output: ({ context }) => context.got,
    });
    world.model.answer = () => new Promise(() => {});
    const first = await world.open({ workflows: [both] });
    await first.spawn(both, { key: 'a' });
    await world.settle();
    world.kill(first);
    await world.clock.advance(120_000);
    world.model.answer = () => 'yes';
    const second = await world.open({ workflows: [both] });
    await world.pass(5000);
    const types = await world.types('both.a');
    expect(types.at(-1)).toBe('RunCompleted');
    expect(types.filter((type) => type === 'TimerFired')).toHaveLength(1);
    expect(await (await second.get('both.a')).result()).toBe('yes');
  });

  it('finds the run of the same key, also when fifty ask for it at once', async () => {
    const world = honest();
    const first = await world.open({ workflows: [essay] });
    const input = { topic: 'sea' };
    const runs = await Promise.all(
      Array.from({ length: 50 }, () => first.spawn(essay, { key: 'a', input })),
    );
    await world.settle(60);
    await Promise.all(runs.map((run) => run.result()));
    const second = await world.restart(first, { workflows: [essay] });
    expect(await (await second.spawn(essay, { key: 'a', input })).result()).toEqual({
      page: '[produce revised]',
    });
    expect(world.model.asked).toHaveLength(7);
    await expect(second.spawn(essay, { key: 'a', input: { topic: 'land' } })).rejects.toMatchObject(
      { code: 'run.key-conflict' },
    );
  });
});

describe('a run that has ended and left memory within a millisecond', () => {
  it('is not executed again by a second start in that millisecond', async () => {
    const world = new World();
    let executions = 0;
    const work = step({ name: 'work', execute: () => (executions += 1) });
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    for (let start = 0; start < 5; start += 1) {
      expect(await (await ecl.spawn(machine, { key: 'a' })).result()).toBe(1);
    }
    expect(executions).toBe(1);
  });
});

describe('two processes that decide for one run', () => {
  it('never both win a revision: the loser loads the run again and goes on', async () => {
    const world = new World();
    const left = await world.open({ workflows: [notes] });
    const run = await left.spawn(notes, { key: 'a' });
    const right = await world.open({ workflows: [notes] });
    const twin = await right.get('notes.a');
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    await Promise.all(
      numbers.map((what) => (what % 2 === 0 ? run : twin).send({ type: 'note', what })),
    );
    await run.send({ type: 'end' });
    const noted = (await run.result()) as number[];
    expect(noted.toSorted((a, b) => a - b)).toEqual(numbers);
    await expect(twin.send({ type: 'note', what: 41 })).rejects.toMatchObject({ code: 'run.over' });
    expect(await twin.result()).toEqual(noted);
    await replays(left, 'notes.a');
  });
});

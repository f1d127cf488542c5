import { afterEach, describe, expect, it } from 'vitest';
import { assign, createActor, setup, toPromise } from 'xstate';
import { file, isEclError, step, workflow, type Ecl, type Workflow } from 'ecl';
import {
  createTestEcl,
  expectReplay,
  provideFile,
  provideModel,
  scriptedModel,
  simulateRestart,
  SimulatedClock,
} from 'ecl/testing';
import { z } from 'zod';

const answer = step({
  name: 'answer',
  input: z.object({ question: z.string() }),
  output: z.object({ text: z.string() }),
  execute: ({ input, model }) => model.object(input.question),
});

const asking = setup({
  types: { input: {} as { question: string }, context: {} as { question: string; text: string } },
  actors: { answer },
  actions: {
    keep: assign({
      text: ({ event }) => (event as never as { output: { text: string } }).output.text,
    }),
  },
}).createMachine({
  id: 'asking',
  version: '1.0.0',
  context: ({ input }) => ({ question: input.question, text: '' }),
  initial: 'answering',
  states: {
    answering: {
      invoke: {
        src: 'answer',
        input: ({ context }) => ({ question: context.question }),
        onDone: { target: 'waiting', actions: 'keep' },
      },
    },
    waiting: { after: { 86_400_000: 'done' }, on: { 'reader.hurries': 'done' } },
    done: { type: 'final' },
  },
  output: ({ context }) => ({ text: context.text }),
});

const flow: Workflow<{ question: string }, { text: string }> = workflow({
  machine: asking,
  input: z.object({ question: z.string() }),
});

const open: Ecl[] = [];
const kept = async (made: Promise<Ecl>): Promise<Ecl> => {
  const ecl = await made;
  open.push(ecl);
  return ecl;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((ecl) => ecl.close()));
});

const input = { question: 'how deep is the sea?' };
const deep = { reply: { object: { text: 'Very.' } } };

describe('createTestEcl', () => {
  it('runs a workflow with a script, and time in the hands of the test', async () => {
    const clock = new SimulatedClock('2026-03-01T09:00:00.000Z');
    const model = scriptedModel([deep]);
    const ecl = await kept(createTestEcl({ workflows: [flow], model, clock }));
    const run = await ecl.spawn(flow, { key: 'sea', input });
    await clock.advance(0);
    const waiting = await run.document();
    expect(waiting.waitingFor).toContainEqual({
      event: 'timer',
      dueAt: '2026-03-02T09:00:00.000Z',
    });
    await clock.advance(86_399_999);
    expect((await run.document()).state).toBe('waiting');
    await clock.advance(1);
    expect(await run.result()).toEqual({ text: 'Very.' });
    expect(model.requests.map(({ messages }) => messages[0]?.content)).toEqual([input.question]);
    await expectReplay(ecl, run.id);
  });

  it('calls no provider when it has no model: the run fails and says what was asked', async () => {
    const ecl = await kept(createTestEcl({ workflows: [flow] }));
    const run = await ecl.spawn(flow, { input });
    await expect(run.result()).rejects.toThrow('how deep is the sea?');
  });

  it('closes at once although a step hangs and the clock stands still', async () => {
    const hanging = workflow({
      machine: setup({
        actors: { hang: step({ name: 'hang', execute: () => new Promise<void>(() => {}) }) },
      }).createMachine({
        id: 'hanging',
        version: '1.0.0',
        initial: 'on',
        states: { on: { invoke: { src: 'hang' } } },
      }),
    });
    const ecl = await createTestEcl({ workflows: [hanging] });
    await ecl.spawn(hanging, { key: 'a' });
    await ecl.close();
    const again = await simulateRestart(ecl);
    await (await simulateRestart(again)).close();
  });
});

describe('simulateRestart', () => {
  it('loses what was in memory and keeps what was stored', async () => {
    const clock = new SimulatedClock();
    const first = await kept(createTestEcl({ workflows: [flow], model: [deep], clock }));
    const run = await first.spawn(flow, { key: 'sea', input });
    await clock.advance(0);
    const second = await kept(simulateRestart(first));
    await expect(run.document()).rejects.toThrow(/closed/);
    const again = await second.get(run.id);
    expect((await again.document()).state).toBe('waiting');
    await again.send({ type: 'reader.hurries' });
    expect(await again.result()).toEqual({ text: 'Very.' });
  });

  it('executes a step again that was in flight, and asks nothing that is answered', async () => {
    const clock = new SimulatedClock();
    const model = scriptedModel([
      { reply: { object: { text: 'too late' } }, delayMs: 60_000 },
      deep,
    ]);
    const first = await kept(createTestEcl({ workflows: [flow], model, clock }));
    const run = await first.spawn(flow, { key: 'sea', input });
    await clock.advance(0);
    const second = await kept(simulateRestart(first));
    const again = await second.get(run.id);
    await clock.advance(86_400_000);
    expect(await again.result()).toEqual({ text: 'Very.' });
    const third = await kept(simulateRestart(second));
    expect(await (await third.get(run.id)).result()).toEqual({ text: 'Very.' });
    expect(model.requests).toHaveLength(2);
    await expectReplay(third, run.id);
  });

  it('fires once, after the start, a timer that came due while nobody ran', async () => {
    const clock = new SimulatedClock();
    const first = await createTestEcl({ workflows: [flow], model: [deep], clock });
    const run = await first.spawn(flow, { key: 'sea', input });
    await clock.advance(0);
    await first.close();
    await clock.advance(7 * 86_400_000);
    const second = await kept(simulateRestart(first));
    const again = await second.get(run.id);
    await clock.advance(0);
    expect(await again.result()).toEqual({ text: 'Very.' });
    const fired = [];
    for await (const event of second.events({ run: run.id, types: ['TimerFired'] }))
      fired.push(event);
    expect(fired).toHaveLength(1);
  });

  it('finds what a process stored that died before it could say so', async () => {
    const clock = new SimulatedClock();
    const first = await kept(
      createTestEcl({ workflows: [flow], model: [deep], clock, crashAfter: 1 }),
    );
    await expect(first.spawn(flow, { key: 'sea', input })).rejects.toThrow(/closed/);
    await expect(first.spawn(flow, { key: 'sky', input })).rejects.toThrow(/closed/);
    const second = await kept(simulateRestart(first));
    await clock.advance(0);
    expect(await (await second.get('asking.sea')).document()).toMatchObject({ state: 'waiting' });
    await expect(second.get('asking.sky')).rejects.toThrow('no run');
  });

  it('brings runs back with another set of workflows', async () => {
    const first = await kept(createTestEcl({ workflows: [flow], model: [deep] }));
    const { id } = await first.spawn(flow, { key: 'sea', input });
    const second = await kept(simulateRestart(first, { workflows: [] }));
    expect(await (await second.get(id)).document()).toMatchObject({ status: 'blocked' });
  });

  it('refuses an ECL that it did not make', async () => {
    const stranger = {} as Ecl;
    await expect(simulateRestart(stranger)).rejects.toThrow('was not made by createTestEcl');
  });
});

describe('expectReplay', () => {
  it('finds a machine that decides by the clock', async () => {
    let day = 'Monday';
    const fickle = workflow({
      machine: setup({
        actions: { note: assign({ day: () => day }) },
      }).createMachine({
        id: 'fickle',
        version: '1.0.0',
        context: { day: '' },
        entry: 'note',
        on: { 'day.over': { actions: 'note' } },
      }),
    });
    const ecl = await kept(createTestEcl({ workflows: [fickle] }));
    const run = await ecl.spawn(fickle, { key: 'a' });
    await expectReplay(ecl, run.id);
    day = 'Tuesday';
    await expect(expectReplay(ecl, run.id)).rejects.toThrow(
      'fickle.a does not replay at revision 1 (StateChanged)',
    );
    await expect(expectReplay(ecl, 'fickle.b')).rejects.toThrow('there is no run fickle.b');
  });
});

describe('provideModel and provideFile', () => {
  it('let a machine run under plain createActor', async () => {
    const restore = provideModel([deep]);
    const actor = createActor(asking, { input }).start();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    actor.send({ type: 'reader.hurries' });
    expect(await toPromise(actor)).toEqual({ text: 'Very.' });
    restore();
  });

  it('bring back the model that was there before', async () => {
    const outer = scriptedModel([{ reply: { text: 'outer' }, times: 'always' }]);
    const inner = scriptedModel([{ reply: { text: 'inner' }, times: 'always' }]);
    const say = step({ name: 'say', execute: ({ model }) => model.text('speak') });
    const said = async (): Promise<unknown> => toPromise(createActor(say).start());
    const restoreOuter = provideModel(outer);
    const restoreInner = provideModel(inner);
    expect(await said()).toBe('inner');
    restoreInner();
    expect(await said()).toBe('outer');
    restoreOuter();
    const error: unknown = await said().catch((reason: unknown) => reason);
    expect(isEclError(error, 'model.none')).toBe(true);
  });

  it('give files to plain actors and to a test ECL', async () => {
    const read = step({
      name: 'read',
      input: z.object({ source: file() }),
      output: z.string(),
      execute: ({ input: { source }, artifacts }) => artifacts.text(source),
    });
    const notes = { name: 'notes.md', content: '# Notes' };
    const source = await provideFile(notes);
    expect(await toPromise(createActor(read, { input: { source } }).start())).toBe('# Notes');

    const reading = workflow({
      machine: setup({ actors: { read } }).createMachine({
        id: 'reading',
        version: '1.0.0',
        context: ({ input: given }) => ({ given, text: '' }),
        initial: 'on',
        states: {
          on: {
            invoke: {
              src: 'read',
              input: ({ context }) => context.given as never,
              onDone: { target: 'done', actions: assign({ text: ({ event }) => event.output }) },
            },
          },
          done: { type: 'final' },
        },
        output: ({ context }) => context.text,
      }),
      input: z.object({ source: file() }),
    });
    const ecl = await kept(createTestEcl({ workflows: [reading] }));
    const stored = await provideFile(notes, ecl);
    expect(stored).toEqual(source);
    const run = await ecl.spawn(reading, { input: { source: stored } });
    expect(await run.result()).toBe('# Notes');
  });
});

/**
 * Random lives of a few runs: processes die or stop, the store is away, in doubt or slow, models fail or dawdle, people
 * send signals, time passes. Everything comes from one seed. At the end the journals are held against what was promised.
 */
import { describe, expect, it } from 'vitest';
import { assign, enqueueActions, sendParent, sendTo, setup, type AnyStateMachine } from 'xstate';
import { EclError, isEclError, step, type Ecl } from 'ecl';
import { OutcomeUnknown } from '../../src/core/errors.ts';
import { decorated, replays, World, type JournalEntry } from './kit.ts';
import { isSoak, randomOf, seedOf } from '../random.ts';
import { outputOf } from './machines.ts';

const seedsCount = isSoak ? 3_000 : 60;
const firstSeed = seedOf();

/** Two calls and a recorded value. */
const ask = step<{ q: string }, string>({
  name: 'ask',
  retry: { attemptsMax: 50 },
  execute: async ({ input, model, ...scope }) => {
    const first = await model.text(`${input.q} first`);
    const value = await scope.once('value', () => input.q.length);
    return `${await model.text(`${input.q} second after ${first}`)} ${value}`;
  },
});

/** Tells its parent of three things, hears of one, asks, ends. */
const child = setup({ types: { context: {} as { q: string } }, actors: { ask } }).createMachine({
  id: 'child',
  version: '1.0.0',
  context: ({ input }) => ({ q: (input as { q: string }).q }),
  initial: 'telling',
  entry: enqueueActions(({ enqueue }) => {
    for (const what of [1, 2, 3]) enqueue(sendParent({ type: 'child.said', what }));
  }),
  states: {
    telling: { on: { 'parent.said': 'asking' }, after: { 500_000: 'asking' } },
    asking: {
      invoke: {
        src: 'ask',
        input: ({ context }: { context: { q: string } }) => ({ q: `${context.q} child` }),
        onDone: 'done',
      },
    },
    done: { type: 'final' },
  },
}) as unknown as AnyStateMachine;

interface Context {
  q: string;
  noted: number;
  heard: number[];
  answer: unknown;
}

const flow = setup({ types: { context: {} as Context }, actors: { ask, child } }).createMachine({
  id: 'flow',
  version: '1.0.0',
  type: 'parallel',
  context: ({ input }) => ({ q: (input as { q: string }).q, noted: 0, heard: [], answer: null }),
  on: {
    note: { actions: assign({ noted: ({ context }) => context.noted + 1 }) },
    'child.said': {
      actions: assign({
        heard: ({ context, event }) => [
          ...context.heard,
          (event as unknown as { what: number }).what,
        ],
      }),
    },
  },
  states: {
    work: {
      initial: 'asking',
      states: {
        asking: {
          invoke: {
            src: 'ask',
            input: ({ context }: { context: Context }) => ({ q: context.q }),
            onDone: { target: 'gate', actions: assign({ answer: outputOf }) },
          },
        },
        gate: { on: { go: 'family' }, after: { 300_000: 'family' } },
        family: {
          invoke: {
            id: 'kid',
            src: 'child',
            input: ({ context }: { context: Context }) => ({ q: context.q }),
            onDone: 'done',
          },
          entry: sendTo('kid', { type: 'parent.said' }),
        },
        done: { type: 'final' },
      },
    },
    clockwork: {
      initial: 'one',
      states: {
        one: { after: { 7000: 'two' } },
        two: { after: { 11_000: 'three' } },
        three: { after: { 13_000: 'done' } },
        done: { type: 'final' },
      },
    },
  },
  output: ({ context }) => ({ noted: context.noted, heard: context.heard }),
}) as unknown as AnyStateMachine;

const keys = ['a', 'b', 'c'];
const options = {
  workflows: [flow],
  limits: { activeActorsMax: 2, snapshotEveryEvents: 4, concurrentStepsMax: 2 },
};

interface Sent {
  readonly run: string;
  readonly id: string;
  tries: number;
  rejections: number;
  isStored: boolean;
}

class Life {
  readonly world = new World();
  readonly sent: Sent[] = [];
  readonly random: () => number;
  faulty = true;
  ecl!: Ecl;
  #signals = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    const { events } = this.world;
    this.world.events = decorated(events, {
      append: async (append) => {
        for (let turns = this.random() * 3; turns > 1; turns -= 1) await new Promise(setImmediate);
        const dice = this.faulty ? this.random() : 1;
        const { stream } = append;
        if (dice < 0.03) throw new EclError('store.unavailable', { store: 'x', reason: 'gone' });
        if (dice < 0.05) throw new OutcomeUnknown({ stream, reason: 'not stored' });
        const result = await events.append(append);
        if (dice < 0.08) throw new OutcomeUnknown({ stream, reason: 'stored' });
        return result;
      },
    });
    this.world.model.answer = (request, { number }) =>
      new Promise((resolve, reject) => {
        const { clock } = this.world;
        clock.schedule(clock.now() + Math.floor(this.random() * 3000), () => {
          const dice = this.faulty ? this.random() : 1;
          const details = { model: 'm', reason: 'by chance' };
          if (dice < 0.1) reject(new EclError('model.unavailable', details));
          else if (dice < 0.15) {
            reject(new EclError('model.overloaded', { ...details, retryAfterMs: 2000 }));
          } else resolve(`answer [${number}] to ${request.messages.at(-1)!.content.slice(0, 9)}`);
        });
      });
  }

  async begin(): Promise<void> {
    this.ecl = await this.world.open(options);
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)]!;
  }

  async send(type: 'go' | 'note'): Promise<void> {
    const run = `flow.${this.pick(keys)}`;
    const id = `s${(this.#signals += 1)}`;
    const fresh: Sent = { run, id, tries: 0, rejections: 0, isStored: false };
    const known = this.sent.filter((each) => each.run === run);
    // Now and then an old note comes again: it counts once all the same.
    const isRepeated = type === 'note' && known.length > 0 && this.random() < 0.3;
    const sent = isRepeated ? this.pick(known) : fresh;
    if (type === 'note' && !isRepeated) this.sent.push(sent);
    sent.tries += 1;
    try {
      const handle = await this.ecl.get(run);
      await handle.send({ type }, { id: sent.id });
      sent.isStored = true;
    } catch (error) {
      const isRejected = ['signal.not-now', 'run.over', 'run.not-found'].some((code) =>
        isEclError(error, code as never),
      );
      if (isRejected) sent.rejections += 1;
    }
  }

  /** One thing that happens; what it sets off may still go on when the next one comes. */
  async act(): Promise<void> {
    const { world } = this;
    const dice = this.random();
    if (dice < 0.35) await world.pass(1 + Math.floor(this.random() * 8000), 4);
    else if (dice < 0.5) void this.send('note');
    else if (dice < 0.6) void this.send('go');
    else if (dice < 0.75) {
      const key = this.pick(keys);
      void this.ecl.spawn(flow, { key, input: { q: key } }).catch(() => {});
    } else if (dice < 0.85) {
      this.ecl = await world.restart(this.ecl, options);
    } else if (dice < 0.9) {
      const closing = this.ecl.close({ graceMs: 1000 }).catch(() => {});
      await world.pass(1500, 5);
      await closing;
      this.ecl = await world.open(options);
    } else await world.settle(this.random() * 5);
    if (this.random() < 0.7) await world.settle(1 + this.random() * 2);
  }

  async end(): Promise<void> {
    this.faulty = false;
    this.ecl = await this.world.restart(this.ecl, options);
    for (const key of keys) await this.ecl.spawn(flow, { key, input: { q: key } });
    await this.world.pass(2_000_000, 80);
  }
}

const named = (entries: readonly JournalEntry[], type: string): JournalEntry[] =>
  entries.filter((entry) => entry.type === type);

const onceEach = (values: readonly unknown[], what: string): void => {
  expect(new Set(values).size, `${what} twice: ${values.join()}`).toBe(values.length);
};

const checkTimers = (entries: readonly JournalEntry[], run: string): void => {
  const due = new Map<string, number>();
  for (const { type, data, at } of entries) {
    if (type === 'TimerSet') due.set(data.id, data.dueAt);
    if (type === 'TimerCancelled') due.delete(data.id);
    if (type !== 'TimerFired') continue;
    expect(Date.parse(at), `${run}: ${data.id} is early`).toBeGreaterThanOrEqual(due.get(data.id)!);
    due.delete(data.id);
  }
};

const checkCalls = (
  entries: readonly JournalEntry[],
  asked: readonly string[],
  run: string,
): void => {
  for (const { data } of named(entries, 'ModelReplied')) {
    const number = Number(/\[(\d+)\]/.exec(data.text)![1]);
    const question = asked[number - 1]!;
    expect(asked.lastIndexOf(question) + 1, `${run}: asked again: ${question}`).toBe(number);
  }
};

const check = async (life: Life): Promise<void> => {
  const { world, ecl } = life;
  for (const key of keys) {
    const run = `flow.${key}`;
    const document = await (await ecl.get(run)).document();
    expect(document, `${run} has not ended`).toMatchObject({ status: 'completed' });
    const kid = `${run}~1`;
    for (const id of [run, kid]) {
      await replays(ecl, id);
      const entries = await world.journal(id);
      onceEach(
        named(entries, 'SignalReceived').map(({ data }) => data.id),
        `${id}: a signal`,
      );
      onceEach(
        named(entries, 'StepSucceeded').map(({ data }) => data.invocation),
        `${id}: a step`,
      );
      onceEach(
        named(entries, 'ChildCompleted').map(({ data }) => data.run),
        `${id}: a child`,
      );
      checkTimers(entries, id);
      checkCalls(entries, world.model.asked, id);
    }
    const entries = await world.journal(run);
    const notes = named(entries, 'SignalReceived').filter(({ data }) => data.event.type === 'note');
    expect(document.output).toEqual({ noted: notes.length, heard: [1, 2, 3] });
    const received = new Set(notes.map(({ data }) => data.id as string));
    for (const { id, tries, rejections, isStored } of life.sent.filter(
      (each) => each.run === run,
    )) {
      if (isStored) expect(received, `${run}: ${id} is lost`).toContain(id);
      if (rejections === tries) expect(received, `${run}: ${id} came`).not.toContain(id);
    }
    const heard = named(await world.journal(kid), 'SignalReceived');
    expect(heard.map(({ data }) => data.event.type)).toEqual(['parent.said']);
  }
};

describe('whatever happens', () => {
  it(`keeps its promises, in ${seedsCount} random lives`, { timeout: 3_600_000 }, async () => {
    for (let seed = firstSeed; seed < firstSeed + seedsCount; seed += 1) {
      try {
        const life = new Life(seed);
        await life.begin();
        for (let n = 0; n < 40; n += 1) await life.act();
        await life.end();
        await check(life);
        await life.ecl.close({ graceMs: 0 });
      } catch (error) {
        const again = `ECL_SEED=${seed} npx vitest run test/runtime/simulation.test.ts`;
        throw new Error(`seed=${seed} repro: ${again}`, { cause: error });
      }
    }
  });
});

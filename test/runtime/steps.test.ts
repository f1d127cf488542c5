import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { EclError, RetryableError, step, TerminalError } from 'ecl';
import { z } from 'zod';
import { deferred, replays, World } from './kit.ts';
import { ask, oneStep, onlyStep, sideBySide } from './machines.ts';

const minute = 60_000;
const fixed = { delayMs: minute, delayMsMax: minute, attemptsMax: 3 };

/** Fails so many times, then succeeds; notes when it ran. */
const flaky = (failures: number, error: () => Error, world: World) => {
  const at: number[] = [];
  const work = step({
    name: 'work',
    retry: fixed,
    execute: ({ attempt }) => {
      at.push(world.clock.now());
      if (at.length <= failures) throw error();
      return `done at attempt ${attempt}`;
    },
  });
  return { machine: oneStep(work), at };
};

const failures = async (world: World, run: string): Promise<{ retryAt: number }[]> =>
  (await world.journal(run))
    .filter(({ type }) => type === 'StepAttemptFailed')
    .map(({ data }) => data as { retryAt: number });

describe('a failed attempt', () => {
  it('is tried again when its recorded time has come, not before', async () => {
    const world = new World();
    const { machine, at } = flaky(1, () => new Error('once'), world);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    const [failed] = await failures(world, run.id);
    const wait = failed!.retryAt - world.clock.now();
    await world.pass(wait - 1);
    expect(at).toHaveLength(1);
    await world.pass(1, 1);
    expect(at).toHaveLength(2);
    expect(at[1]).toBe(failed!.retryAt);
    expect(await run.result()).toBe('done at attempt 2');
    await replays(ecl, run.id);
  });

  it('waits on over a restart: same time, same count of attempts', async () => {
    const world = new World();
    const { machine, at } = flaky(9, () => new Error('always'), world);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await world.settle();
    let ecl = first;
    for (let restarts = 0; restarts < 4; restarts += 1) {
      ecl = await world.restart(ecl, { workflows: [machine] });
      await ecl.get(run.id);
      await world.settle();
      const last = (await failures(world, run.id)).at(-1)!.retryAt;
      if (last <= world.clock.now()) break;
      const before = at.length;
      await world.pass(last - world.clock.now() - 1);
      expect(at).toHaveLength(before);
      await world.pass(1, 1);
      expect(at).toHaveLength(before + 1);
    }
    expect(at).toHaveLength(3);
    expect(await (await ecl.get(run.id)).result()).toMatchObject({ message: 'always' });
    expect(await world.count(run.id, 'StepFailed')).toBe(1);
    await replays(ecl, run.id);
  });

  it('waits at least as long as it was told to', async () => {
    const world = new World();
    const wait = 4 * minute;
    const { machine, at } = flaky(
      1,
      () => new RetryableError('busy', { retryAfterMs: wait }),
      world,
    );
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    await world.pass(wait - 1);
    expect(at).toHaveLength(1);
    await world.pass(1, 1);
    expect(await run.result()).toBe('done at attempt 2');
  });

  it('with a terminal error is the last one', async () => {
    const world = new World();
    const { machine, at } = flaky(9, () => new TerminalError('never'), world);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    expect(await run.result()).toMatchObject({ message: 'never' });
    expect(at).toHaveLength(1);
  });

  it('by the wire keeps the replies that came before it', async () => {
    const world = new World((request, { number }) => {
      if (number === 2) throw new EclError('model.unavailable', { model: 'm', reason: 'reset' });
      return `answer to ${request.messages.at(-1)?.content}`;
    });
    const two = step({
      name: 'two',
      execute: async ({ model }) => [await model.text('one'), await model.text('two')].join(),
    });
    const machine = oneStep(two);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.pass(minute);
    expect(await run.result()).toBe('answer to one,answer to two');
    expect(world.model.asked).toEqual(['one', 'two', 'two']);
  });
});

describe('a step that takes too long', () => {
  it('is aborted, recorded, and tried again', async () => {
    const world = new World();
    const aborted: unknown[] = [];
    const slow = step({
      name: 'slow',
      timeout: 5000,
      retry: { delayMs: 0 },
      execute: ({ signal, attempt }) => {
        if (attempt === 2) return 'in time';
        return new Promise<string>(() => {
          signal.addEventListener('abort', () => aborted.push(signal.reason));
        });
      },
    });
    const machine = oneStep(slow);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.pass(4999);
    expect(aborted).toHaveLength(0);
    await world.pass(1, 1);
    await world.settle();
    expect(aborted).toMatchObject([{ code: 'step.timeout' }]);
    expect(await run.result()).toBe('in time');
    await replays(ecl, run.id);
  });
});

describe('a step that may run only once', () => {
  it('is not run again after a crash: the machine gets step.interrupted', async () => {
    const world = new World();
    let executions = 0;
    const work = step({
      name: 'work',
      effect: 'once',
      execute: () => {
        executions += 1;
        return new Promise<string>(() => {});
      },
    });
    const machine = oneStep(work);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await world.settle();
    expect(await world.count(run.id, 'StepAttemptStarted')).toBe(1);
    const second = await world.restart(first, { workflows: [machine] });
    const again = await second.get(run.id);
    expect(await again.result()).toMatchObject({ code: 'step.interrupted' });
    expect(executions).toBe(1);
    await replays(second, run.id);
  });

  it('runs when the crash came before its start was recorded', async () => {
    const world = new World();
    const work = step({ name: 'work', effect: 'once', execute: () => 'done' });
    const machine = oneStep(work);
    const first = await world.open({ workflows: [machine] });
    const armed = world.killAt(first, 2, 'before');
    await first.spawn(machine, { key: 'a' });
    await world.settle();
    expect(armed.hit).toBe(true);
    armed.disarm();
    const second = await world.restart(first, { workflows: [machine] });
    expect(await (await second.get('one-step.a')).result()).toBe('done');
  });

  it('has the same idempotency key in each execution, and another one in each invocation', async () => {
    const world = new World();
    const keys: string[] = [];
    const work = step({
      name: 'work',
      retry: { delayMs: 0 },
      execute: ({ idempotencyKey, attempt }) => {
        keys.push(idempotencyKey);
        if (attempt < 3) throw new Error('again');
        return new Promise<string>(() => {});
      },
    });
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    await run.send({ type: 'work.left' });
    await run.send({ type: 'work.again' });
    await world.settle();
    expect(keys).toEqual([
      ...Array.from({ length: 3 }, () => 'one-step.a/work#1'),
      ...Array.from({ length: 3 }, () => 'one-step.a/work#2'),
    ]);
  });
});

describe('refused credentials', () => {
  it('pause the run; a resume goes on at the same attempt without a lost reply', async () => {
    let refused = true;
    const world = new World((request) => {
      const question = request.messages.at(-1)?.content;
      if (question === 'two' && refused) {
        throw new EclError('model.credentials', { model: 'm', reason: 'the key is revoked' });
      }
      return `answer to ${question}`;
    });
    const two = step({
      name: 'two',
      execute: async ({ model, attempt }) =>
        [await model.text('one'), await model.text('two'), attempt].join(),
    });
    const machine = oneStep(two);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    const paused = await run.rest();
    expect(paused).toMatchObject({ status: 'paused', error: { code: 'model.credentials' } });
    await world.pass(10 * minute);
    expect(world.model.asked).toEqual(['one', 'two']);
    const second = await world.restart(first, { workflows: [machine] });
    const again = await second.get(run.id);
    expect((await again.document()).status).toBe('paused');
    await world.pass(10 * minute);
    refused = false;
    await again.resume();
    expect(await again.result()).toBe('answer to one,answer to two,1');
    expect(world.model.asked).toEqual(['one', 'two', 'two']);
    await replays(second, run.id);
  });

  it('let no step begin that still waited for a place', async () => {
    const world = new World(() => {
      throw new EclError('model.credentials', { model: 'm', reason: 'the key is revoked' });
    });
    const machine = sideBySide(8);
    const ecl = await world.open({ workflows: [machine], limits: { concurrentStepsMax: 2 } });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.settle();
    expect((await run.document()).status).toBe('paused');
    expect(world.model.asked).toHaveLength(2);
    world.model.answer = () => 'yes';
    await run.resume();
    await world.settle();
    expect((await run.document()).status).toBe('completed');
    expect(world.model.asked).toHaveLength(10);
    await replays(ecl, run.id);
  });

  it('cannot be resumed when nothing is paused', async () => {
    const world = new World();
    const machine = oneStep(ask);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await run.result();
    await expect(run.resume()).rejects.toMatchObject({ code: 'run.not-paused' });
  });
});

describe('a provider that is away for longer than the attempts last', () => {
  const away = () => {
    const outage = { isOver: false };
    const world = new World((request) => {
      const question = String(request.messages.at(-1)?.content);
      if (question === 'two' && !outage.isOver) {
        throw new EclError('model.unavailable', { model: 'm', reason: '503' });
      }
      return `answer to ${question}`;
    });
    const two = step({
      name: 'two',
      retry: fixed,
      execute: async ({ model, attempt }) =>
        [await model.text('one'), await model.text('two'), attempt].join(),
    });
    return { outage, world, two };
  };

  it('pauses the run; each resume grants as many attempts again, and nothing paid is lost', async () => {
    const { outage, world, two } = away();
    const machine = onlyStep(two);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await world.pass(10 * minute);
    const paused = { status: 'paused', error: { code: 'model.unavailable' } };
    expect(await run.rest()).toMatchObject(paused);
    expect(world.model.asked).toEqual(['one', 'two', 'two', 'two']);

    const second = await world.restart(first, { workflows: [machine] });
    const again = await second.get(run.id);
    await again.resume();
    await world.pass(10 * minute);
    expect(await again.document()).toMatchObject(paused);
    expect(world.model.asked).toHaveLength(8);

    outage.isOver = true;
    await again.resume();
    expect(await again.result()).toBe('answer to one,answer to two,6');
    expect(world.model.asked.filter((question) => question === 'one')).toHaveLength(1);
    await replays(second, run.id);
  });

  it('is the failure of the step where the machine cannot even be asked, and a resume takes it', async () => {
    const { world, two } = away();
    let fails = true;
    const isHopeless = (): boolean => {
      if (fails) throw new Error('the guard failed');
      return true;
    };
    const machine = setup({ actors: { two }, guards: { isHopeless } }).createMachine({
      id: 'guarded',
      version: '1.0.0',
      initial: 'working',
      states: {
        working: { invoke: { src: 'two', onError: { guard: 'isHopeless', target: 'done' } } },
        done: { type: 'final' },
      },
    });
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.pass(10 * minute);
    expect((await run.document()).status).toBe('quarantined');
    expect(world.model.asked).toEqual(['one', 'two', 'two', 'two']);
    fails = false;
    await run.resume();
    expect((await run.rest()).status).toBe('completed');
    expect(world.model.asked).toHaveLength(4);
    await replays(ecl, run.id);
  });

  it('is the failure of the step where the machine has a way on', async () => {
    const { world, two } = away();
    const machine = oneStep(two);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    await world.pass(10 * minute);
    expect(await run.result()).toMatchObject({ code: 'model.unavailable' });
    await replays(ecl, run.id);
  });
});

describe('what a step records on its way', () => {
  it('is not produced again: values of once(), undefined among them', async () => {
    const world = new World();
    const produced: string[] = [];
    const hang = deferred<string>();
    const work = step({
      name: 'work',
      execute: async (scope) => {
        const a = await scope.once('a', () => produced.push('a'));
        const b = await scope.once('b', () => {
          produced.push('b');
        });
        return `${a} ${String(b)} ${await scope.once('c', () => hang.promise)}`;
      },
    });
    const machine = oneStep(work);
    const first = await world.open({ workflows: [machine] });
    await first.spawn(machine, { key: 'a' });
    await world.settle();
    const second = await world.restart(first, { workflows: [machine] });
    const run = await second.get('one-step.a');
    hang.resolve('c');
    expect(await run.result()).toBe('1 undefined c');
    expect(produced).toEqual(['a', 'b']);
  });

  it('is produced once where it is asked for twice at the same time, and again after it failed', async () => {
    const world = new World();
    let produced = 0;
    const work = step({
      name: 'work',
      execute: async (scope) => {
        const failing = scope.once('a', () => Promise.reject(new Error(`no ${++produced}`)));
        await expect(failing).rejects.toThrow('no 1');
        const ask = (): Promise<number> => scope.once('a', async () => Promise.resolve(++produced));
        return Promise.all([ask(), ask(), ask()]);
      },
    });
    const machine = oneStep(work);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    expect(await run.result()).toEqual([2, 2, 2]);
    const recorded = (await world.types(run.id)).filter((type) => type === 'ValueRecorded');
    expect(recorded).toHaveLength(1);
  });

  it('is asked for under a key that no other question had, whichever of them were answered before a crash', async () => {
    const world = new World(({ messages }) =>
      messages.at(-1)?.content === 'two' ? 'answer' : new Promise<string>(() => {}),
    );
    const three = step({
      name: 'three',
      execute: ({ model }) => Promise.all(['one', 'two', 'three'].map((q) => model.text(q))),
    });
    const machine = oneStep(three);
    const first = await world.open({ workflows: [machine] });
    const run = await first.spawn(machine, { key: 'a' });
    await world.settle();
    world.model.answer = () => 'answer';
    const second = await world.restart(first, { workflows: [machine] });
    await (await second.get(run.id)).result();
    expect(world.model.asked).toEqual(['one', 'two', 'three', 'one', 'three']);
    const questions = new Map<string, Set<string>>();
    world.model.keys.forEach((key, n) => {
      questions.set(key, (questions.get(key) ?? new Set()).add(world.model.asked[n]!));
    });
    expect([...questions.values()].filter(({ size }) => size > 1)).toEqual([]);
  });

  it('is not produced again: answers of tools', async () => {
    const world = new World();
    let used = 0;
    const search = {
      name: 'search',
      description: 'searches',
      input: z.object({ q: z.string() }),
      execute: ({ q }: { q: string }) => {
        used += 1;
        return `found ${q}`;
      },
    };
    const work = step({
      name: 'work',
      execute: ({ model }) => model.text({ prompt: 'find it', tools: [search as never] }),
    });
    const hang = deferred<string>();
    const { model } = world;
    model.complete = async ({ messages }) => {
      const number = model.asked.push(messages.at(-1)?.content ?? '');
      const usage = { inputTokens: 1, outputTokens: 1 };
      const base = { model: 'test', usage, toolCalls: [] };
      if (number === 1) {
        const toolCalls = [{ id: 't1', name: 'search', input: { q: 'it' } }];
        return { ...base, text: '', toolCalls, stopReason: 'tool-use' };
      }
      return { ...base, text: number === 2 ? await hang.promise : 'found', stopReason: 'end' };
    };
    const machine = oneStep(work);
    const first = await world.open({ workflows: [machine] });
    await first.spawn(machine, { key: 'a' });
    await world.settle();
    const second = await world.restart(first, { workflows: [machine] });
    expect(await (await second.get('one-step.a')).result()).toBe('found');
    expect(used).toBe(1);
    expect(model.asked).toEqual(['find it', 'found it', 'found it']);
  });
});

describe('the scope of a step', () => {
  it('can be spread and taken apart, and everything still works', async () => {
    const world = new World();
    const taken = step({
      name: 'taken',
      execute: async ({ input, ...rest }) => {
        const scope = { ...rest };
        scope.log.info('it begins');
        const value = await scope.once('n', () => 7);
        const answer = await scope.model.text('a');
        return { input, value, answer, aborted: scope.signal.aborted };
      },
    });
    const machine = oneStep(taken);
    const ecl = await world.open({ workflows: [machine] });
    const run = await ecl.spawn(machine, { key: 'a' });
    expect(await run.result()).toMatchObject({ value: 7, aborted: false });
  });
});

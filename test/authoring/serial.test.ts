import { describe, expect, expectTypeOf, it } from 'vitest';
import { assign, createActor, setup, toPromise, waitFor } from 'xstate';
import { gate, isEclError, rounds, serial, step, workflow, type Workflow } from 'ecl';
import { createTestEcl, expectReplay, provideModel, scriptedModel } from 'ecl/testing';
import { z } from 'zod';
import flow from './fixtures/my-flow.ts';
import { drafting, kept, start, Text, typesOf, upper } from './kit.ts';

const topic = { topic: 'the sea' };

describe('the flow of the first page', () => {
  const script = [
    { match: { schema: 'draft', contains: 'Critique:\nmore' }, reply: { object: { text: 'two' } } },
    { match: { schema: 'draft' }, reply: { object: { text: 'one' } } },
    {
      match: { schema: 'critique', contains: 'one' },
      reply: { object: { decision: 'revise', feedback: 'more' } },
    },
    { match: { schema: 'critique' }, reply: { object: { decision: 'pass', feedback: '' } } },
  ] as const;

  it('runs unchanged, and its types go from the first input to the result', async () => {
    const model = scriptedModel(script);
    const ecl = await kept(createTestEcl({ workflows: [flow], model }));
    const run = await ecl.spawn(flow, { key: 'sea-1', input: { topic: 'the sea' } });
    const { text } = await run.result();
    expectTypeOf(text).toEqualTypeOf<string>();
    expect(text).toBe('two');
    expect(model.requests).toHaveLength(4);
    await expectReplay(ecl, run.id);
    // @ts-expect-error: the topic is missing
    await expect(ecl.spawn(flow, { key: 'no', input: {} })).rejects.toThrow('topic');
    // @ts-expect-error: a topic is a text
    await expect(ecl.spawn(flow, { input: { topic: 1 } })).rejects.toThrow('topic');
  });

  it('runs under plain createActor too', async () => {
    const restore = provideModel(scriptedModel(script));
    const actor = createActor(flow.machine, { input: topic }).start();
    expect(await toPromise(actor)).toEqual({ text: 'two' });
    restore();
  });
});

describe('a chain', () => {
  it('gives each step what the one before it gave', async () => {
    const count = step({
      name: 'count',
      input: Text,
      output: z.number(),
      execute: ({ input }) => input.text.length,
    });
    const twice = step({
      name: 'twice',
      input: z.number(),
      output: z.object({ length: z.number() }),
      execute: ({ input }) => ({ length: input * 2 }),
    });
    const { draft } = drafting(['pass']);
    const chain = serial({ id: 'chain', version: '1.0.0', steps: [draft, upper, count, twice] });
    const { run } = await start(chain, topic);
    const result = await run.result();
    expectTypeOf(result).toEqualTypeOf<{ length: number }>();
    expect(result).toEqual({ length: 14 });
  });

  it('runs one step in two places, each in its own state', async () => {
    const add = step({
      name: 'add',
      input: z.object({ text: z.string() }),
      output: z.object({ text: z.string() }),
      execute: ({ input }) => ({ text: `${input.text}!` }),
    });
    const chain = serial({ id: 'chain', version: '1.0.0', steps: [add, upper, add] });
    const { ecl, run } = await start(chain, { text: 'a' });
    expect(await run.result()).toEqual({ text: 'A!!' });
    const scheduled = [];
    for await (const { data } of ecl.events({ run: run.id, types: ['StepScheduled'] })) {
      scheduled.push(data);
    }
    expect(scheduled).toMatchObject([
      { name: 'add', actor: 'add' },
      { name: 'upper', actor: 'upper' },
      { name: 'add', actor: 'add2' },
    ]);
  });

  it('takes what its first schema takes, before the defaults are filled in', async () => {
    const repeat = step({
      name: 'repeat',
      input: z.object({ text: z.string(), times: z.number().default(2) }),
      output: Text,
      execute: ({ input }) => ({ text: input.text.repeat(input.times) }),
    });
    const { run } = await start(serial({ id: 'chain', version: '1.0.0', steps: [repeat] }), {
      text: 'ab',
    });
    expect(await run.result()).toEqual({ text: 'abab' });
  });

  it('fails with the error of the step that fails', async () => {
    const broken = step({
      name: 'broken',
      input: Text,
      output: Text,
      retry: { attemptsMax: 1 },
      execute: () => {
        throw new Error('the disk is full');
      },
    });
    const { draft } = drafting(['pass']);
    const chain = serial({ id: 'chain', version: '1.0.0', steps: [draft, broken] });
    const { run } = await start(chain, topic);
    await expect(run.result()).rejects.toThrow('the disk is full');
    expect((await run.document()).error).toMatchObject({ message: 'the disk is full' });
  });

  it('carries its description, budget and schemas into the workflow', () => {
    const { draft } = drafting(['pass']);
    const chain = serial({
      id: 'chain',
      version: '2.1.0',
      description: 'Says something.',
      steps: [draft, gate({ name: 'approval' })],
      budget: { usd: 1 },
    });
    expect(chain).toMatchObject({
      id: 'chain',
      version: '2.1.0',
      description: 'Says something.',
      budget: { usd: 1 },
    });
    expect(chain.input).toBe(draft.input);
    expect(chain.output).toBe(draft.output);
  });
});

describe('rounds in a chain', () => {
  const flowOf = (
    verdicts: Parameters<typeof drafting>[0],
    options: { max?: number; onExhausted?: 'ask' | 'fail' | 'accept' } = {},
  ) => {
    const { draft, review, count } = drafting(verdicts);
    const chain = serial({
      id: 'chain',
      version: '1.0.0',
      steps: [draft, rounds({ review, of: draft, ...options })],
    });
    return { chain, count };
  };

  for (const onExhausted of ['ask', 'fail', 'accept'] as const) {
    it(`end with the first draft that passes (${onExhausted})`, async () => {
      const { chain, count } = flowOf(['revise', 'pass'], { onExhausted });
      const { run } = await start(chain, topic);
      expect(await run.result()).toEqual({ text: 'draft 2' });
      expect(count).toMatchObject({ drafts: 2, reviews: 2 });
      expect(count.given).toEqual([
        { input: topic, round: 1 },
        { previous: 'draft 1', feedback: 'note 1', round: 2 },
      ]);
    });
  }

  for (const max of [1, 2, 3, 5]) {
    it(`end after exactly ${max} drafts and ${max} reviews when no review passes`, async () => {
      const { chain, count } = flowOf(['revise'], { max });
      const { run } = await start(chain, topic);
      expect(await run.rest()).toMatchObject({ status: 'waiting', state: 'exhausted' });
      expect(count).toMatchObject({ drafts: max, reviews: max });
    });
  }

  it('fail at the bound when that is asked for, with the last draft and all feedback', async () => {
    const { chain, count } = flowOf(['revise'], { onExhausted: 'fail' });
    const { run } = await start(chain, topic);
    expect(await run.rest()).toMatchObject({
      status: 'failed',
      error: {
        code: 'rounds.exhausted',
        message: 'the review was not satisfied after 3 rounds: note 3',
        details: {
          output: { draft: { text: 'draft 3' }, feedback: ['note 1', 'note 2', 'note 3'] },
        },
      },
    });
    expect(count).toMatchObject({ drafts: 3, reviews: 3 });
    await expect(run.result()).rejects.toThrow('not satisfied after 3 rounds');
  });

  it('accept the last draft at the bound when that is asked for', async () => {
    const { chain, count } = flowOf(['revise'], { onExhausted: 'accept' });
    const { run } = await start(chain, topic);
    expect(await run.result()).toEqual({ text: 'draft 3' });
    expect(count).toMatchObject({ drafts: 3, reviews: 3 });
  });

  for (const onExhausted of ['fail', 'accept'] as const) {
    it(`fail at once when the review rejects (${onExhausted})`, async () => {
      const { chain, count } = flowOf(['reject'], { onExhausted });
      const { run } = await start(chain, topic);
      expect(await run.rest()).toMatchObject({
        status: 'failed',
        error: {
          code: 'rounds.exhausted',
          message: 'the review rejected the draft of round 1: note 1',
        },
      });
      expect(count).toMatchObject({ drafts: 1, reviews: 1 });
    });
  }

  it('ask a person when the review rejects', async () => {
    const { chain, count } = flowOf(['reject', 'pass']);
    const { run } = await start(chain, topic);
    expect(await run.rest()).toMatchObject({ status: 'waiting', state: 'exhausted' });
    expect(count).toMatchObject({ drafts: 1, reviews: 1 });
    await run.resume({ moreRounds: 1 });
    expect(await run.result()).toEqual({ text: 'draft 2' });
  });

  it('go on with the last draft when a person accepts it', async () => {
    const { chain } = flowOf(['revise']);
    const { ecl, run } = await start(chain, topic);
    await run.rest();
    await run.resume({ accept: true });
    expect(await run.result()).toEqual({ text: 'draft 3' });
    await expectReplay(ecl, run.id);
  });

  it('run exactly as many more rounds as a person allows, and ask again', async () => {
    const { chain, count } = flowOf(['revise']);
    const { run } = await start(chain, topic);
    await run.rest();
    await run.resume({ moreRounds: 2 });
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(count).toMatchObject({ drafts: 5, reviews: 5 });
    await run.send({ type: 'rounds.extended' });
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(count).toMatchObject({ drafts: 6, reviews: 6 });
    expect(count.given.at(-1)).toEqual({ previous: 'draft 5', feedback: 'note 5', round: 6 });
  });

  it('refuse a number of rounds that is none, and say so', async () => {
    const { chain, count } = flowOf(['revise']);
    const { run } = await start(chain, topic);
    await run.rest();
    for (const moreRounds of [0, -1, 1.5, 101, '2' as never, [3] as never]) {
      const error: unknown = await run.resume({ moreRounds }).catch((reason: unknown) => reason);
      expect(isEclError(error, 'input.invalid')).toBe(true);
      expect(String(error)).toContain('rounds.extended: rounds: a whole number from 1 to 100');
    }
    expect(count.drafts).toBe(3);
  });

  it('take what a person gives in place of the draft, as the schema parses it', async () => {
    const { chain, count } = flowOf(['revise']);
    const { run } = await start(chain, topic);
    await run.rest();
    await run.resume({ output: { text: 'my own', extra: true } });
    expect(await run.result()).toEqual({ text: 'my own' });
    expect(count).toMatchObject({ drafts: 3, reviews: 3 });
  });

  it('refuse in place of the draft what does not fit its schema, and name what is wrong', async () => {
    const { chain } = flowOf(['revise']);
    const { ecl, run } = await start(chain, topic);
    await run.rest();
    const before = await typesOf(ecl, run.id);
    const refused = async (output: unknown): Promise<string> => {
      const error: unknown = await run.resume({ output }).catch((reason: unknown) => reason);
      expect(isEclError(error, 'input.invalid')).toBe(true);
      return String(error);
    };
    expect(await refused({ txt: 'typo' })).toContain('the signal rounds.replaced: text: ');
    expect(await refused({ text: 'x'.repeat(21) })).toContain('20');
    expect(await refused(undefined)).toContain('expected object');
    await expect(run.send({ type: 'rounds.replaced' })).rejects.toThrow('output: it is missing');
    expect(await typesOf(ecl, run.id)).toEqual(before);
    expect(await run.document()).toMatchObject({ status: 'waiting', state: 'exhausted' });
  });

  it('refuse a person’s answer while they run, and after the end', async () => {
    const { chain } = flowOf(['pass']);
    const { run } = await start(chain, topic);
    await run.result();
    await expect(run.resume({ accept: true })).rejects.toThrow('completed');
  });

  it('stand several times in one chain, each with its own bound and schema', async () => {
    const essay = drafting(['revise'], { draft: 'essay', review: 'essayReview' });
    const title = step({
      name: 'title',
      input: Text,
      output: z.object({ title: z.string() }),
      execute: ({ input, round }) => ({ title: `${input.text} / title ${round}` }),
    });
    let reviews = 0;
    const titleReview = step({
      name: 'titleReview',
      input: title.output,
      output: z.object({ decision: z.enum(['pass', 'revise', 'reject']), feedback: z.string() }),
      execute: () => {
        reviews += 1;
        return { decision: 'revise' as const, feedback: 'shorter' };
      },
    });
    const chain = serial({
      id: 'chain',
      version: '1.0.0',
      steps: [
        essay.draft,
        rounds({ review: essay.review, of: essay.draft, max: 2 }),
        title,
        rounds({ review: titleReview, of: title, max: 4 }),
      ],
    });
    const { run } = await start(chain, topic);
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(essay.count).toMatchObject({ drafts: 2, reviews: 2 });
    await expect(run.resume({ output: { title: 'wrong place' } })).rejects.toThrow('text');
    await run.resume({ output: { text: 'mine' } });
    expect(await run.rest()).toMatchObject({ state: 'exhausted2' });
    expect(reviews).toBe(4);
    await expect(run.resume({ output: { text: 'wrong place' } })).rejects.toThrow('title');
    await run.resume({ accept: true });
    expect(await run.result()).toEqual({ title: 'mine / title 4' });
  });
});

describe('a gate in a chain', () => {
  const gated = (options: { deadline?: number } = {}) => {
    const { draft } = drafting(['pass']);
    return serial({
      id: 'chain',
      version: '1.0.0',
      steps: [draft, gate({ name: 'approval', description: 'Is it good?', ...options }), upper],
    });
  };

  it('waits for a person and goes on with the value before it', async () => {
    const { run } = await start(gated(), topic);
    expect(await run.rest()).toMatchObject({
      status: 'waiting',
      state: 'approval',
      waitingFor: [{ event: 'approval.approved' }, { event: 'approval.rejected' }],
    });
    await run.send({ type: 'approval.approved' });
    const result = await run.result();
    expectTypeOf(result).toEqualTypeOf<Text>();
    expect(result).toEqual({ text: 'DRAFT 1' });
  });

  it('fails the run when the person rejects, with the reason and what was rejected', async () => {
    const { run } = await start(gated(), topic);
    await run.rest();
    await run.send({ type: 'approval.rejected', reason: 'too short' });
    expect(await run.rest()).toMatchObject({
      status: 'failed',
      error: {
        code: 'gate.rejected',
        message: 'the gate "approval" was rejected: too short',
        details: { output: { draft: { text: 'draft 1' } } },
      },
    });
  });

  it('counts as rejected at its deadline, not before', async () => {
    const { run, clock } = await start(gated({ deadline: 60_000 }), topic);
    await run.rest();
    await clock.advance(59_999);
    expect(await run.document()).toMatchObject({ status: 'waiting' });
    await clock.advance(1);
    expect(await run.document()).toMatchObject({
      status: 'failed',
      error: {
        code: 'gate.rejected',
        message: 'nobody answered the gate "approval" before its deadline',
      },
    });
  });

  it('forgets its deadline when the person answers', async () => {
    const { run, clock } = await start(gated({ deadline: 60_000 }), topic);
    await run.rest();
    await run.send({ type: 'approval.approved' });
    await clock.advance(120_000);
    expect(await run.result()).toEqual({ text: 'DRAFT 1' });
  });

  it('may stand at the end of a chain, and after rounds', async () => {
    const { draft, review } = drafting(['revise', 'pass']);
    const chain = serial({
      id: 'chain',
      version: '1.0.0',
      steps: [draft, rounds({ review, of: draft }), gate({ name: 'approval' })],
    });
    const { run } = await start(chain, topic);
    await run.rest();
    await run.send({ type: 'approval.approved' });
    const { text } = await run.result();
    expectTypeOf(text).toEqualTypeOf<string>();
    expect(text).toBe('draft 2');
  });

  it('works under plain createActor', async () => {
    const actor = createActor(gated().machine, { input: topic }).start();
    await waitFor(actor, (snapshot) => snapshot.hasTag('gate'));
    actor.send({ type: 'approval.approved' });
    expect(await toPromise(actor)).toEqual({ text: 'DRAFT 1' });
  });
});

describe('a chain as the child of another machine', () => {
  it('is invoked with a checked input and gives a typed output', async () => {
    const { draft } = drafting(['pass']);
    const child = serial({ id: 'child', version: '1.0.0', steps: [draft, upper] });
    const parent = workflow({
      machine: setup({
        types: { context: {} as { text: string } },
        actors: { child: child.machine },
        actions: { keep: assign({ text: (_, params: { text: string }) => params.text }) },
      }).createMachine({
        id: 'parent',
        version: '1.0.0',
        context: { text: '' },
        initial: 'on',
        states: {
          on: {
            invoke: {
              src: 'child',
              input: () => topic,
              onDone: {
                target: 'done',
                actions: {
                  type: 'keep',
                  params: ({ event }) => {
                    expectTypeOf(event.output).toEqualTypeOf<Text>();
                    return event.output;
                  },
                },
              },
            },
          },
          done: { type: 'final' },
        },
        output: ({ context }) => context.text,
      }),
    });
    const { run } = await start(parent as Workflow, undefined);
    expect(await run.result()).toBe('DRAFT 1');
    expect(() =>
      setup({ actors: { child: child.machine } }).createMachine({
        id: 'wrong',
        // @ts-expect-error: the topic is missing
        invoke: { src: 'child', input: () => ({}) },
      }),
    ).not.toThrow();
  });
});

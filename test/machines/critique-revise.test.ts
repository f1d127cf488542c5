import { describe, expect, it } from 'vitest';
import { createActor, toPromise, waitFor } from 'xstate';
import { isEclError, type Ecl, type Model, type RunHandle } from 'ecl';
import {
  createTestEcl,
  expectReplay,
  provideModel,
  scriptedModel,
  simulateRestart,
  SimulatedClock,
  type Script,
} from 'ecl/testing';
import { critiqueRevise } from '../../machines/index.ts';
import { eventsOf, kept, crashEverywhere, SteppedModel, until } from './kit.ts';

const topic = { topic: 'the sea' };
const draft = (text: string, contains?: string): Script[number] => ({
  match: { schema: 'draft', ...(contains === undefined ? {} : { contains }) },
  reply: { object: { text } },
});
const verdict = (decision: string, feedback = ''): Script[number] => ({
  match: { schema: 'critique' },
  reply: { object: { decision, feedback } },
});

const satisfied: Script = [
  draft('The sea is wide.'),
  verdict('revise', 'Say how deep.'),
  draft('The sea is wide and 3.7 km deep.', 'Say how deep.'),
  verdict('pass'),
];

const never = (rounds: number): Script =>
  Array.from({ length: rounds }, (_, index) => [
    draft(`draft ${index + 1}`),
    verdict('revise', `note ${index + 1}`),
  ]).flat();

const start = async (
  model: Model | Script,
  options: { crashAfter?: number } = {},
): Promise<{ ecl: Ecl; run: RunHandle<{ text: string }>; clock: SimulatedClock }> => {
  const clock = new SimulatedClock();
  const ecl = await kept(createTestEcl({ workflows: [critiqueRevise], model, clock, ...options }));
  return { ecl, clock, run: await ecl.spawn(critiqueRevise, { key: 'sea', input: topic }) };
};

describe('critique-revise', () => {
  it('revises the draft by the critique and ends with the draft that passes', async () => {
    const model = scriptedModel(satisfied);
    const { ecl, run } = await start(model);
    expect(await run.result()).toEqual({ text: 'The sea is wide and 3.7 km deep.' });
    const asked = model.requests.map(({ messages }) => messages[0]?.content ?? '');
    expect(asked).toHaveLength(4);
    expect(asked[0]).toContain('under 2000 characters');
    expect(asked[0]).toContain('the sea');
    expect(asked[1]).toContain('The sea is wide.');
    expect(asked[2]).toContain('The sea is wide.\n\nCritique:\nSay how deep.');
    expect(asked[3]).toContain('3.7 km');
    await expectReplay(ecl, run.id);
  });

  it('ends after exactly three drafts and three critiques when none satisfies', async () => {
    const model = scriptedModel(never(10));
    const { ecl, run } = await start(model);
    expect(await run.rest()).toMatchObject({
      status: 'waiting',
      state: 'exhausted',
      waitingFor: [
        { event: 'rounds.accepted' },
        { event: 'rounds.extended' },
        { event: 'rounds.replaced' },
      ],
    });
    expect(model.requests).toHaveLength(6);
    const scheduled = await eventsOf(ecl, run.id, 'StepScheduled');
    expect(scheduled.map(({ data }) => (data as { name: string }).name)).toEqual([
      'draft',
      'critique',
      'draft',
      'critique',
      'draft',
      'critique',
    ]);
    expect(run.getSnapshot().context).toMatchObject({
      rounds: { draft: { text: 'draft 3' }, feedback: ['note 1', 'note 2', 'note 3'] },
    });
  });

  it('asks a person at once when the critique rejects', async () => {
    const model = scriptedModel([draft('no'), verdict('reject', 'Not about the sea.')]);
    const { run } = await start(model);
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(model.requests).toHaveLength(2);
  });

  it('takes a topic that is trimmed, and refuses none', async () => {
    const { ecl } = await start([]);
    await expect(ecl.spawn(critiqueRevise, { input: { topic: '  ' } })).rejects.toThrow('topic');
  });
});

describe('critique-revise at its gate', () => {
  const atGate = async () => {
    const model = scriptedModel(never(10));
    const started = await start(model);
    await started.run.rest();
    return { ...started, model };
  };

  it('goes on with the last draft when a person accepts it', async () => {
    const { run, model } = await atGate();
    await run.resume({ accept: true });
    expect(await run.result()).toEqual({ text: 'draft 3' });
    expect(model.requests).toHaveLength(6);
  });

  it('runs exactly as many more rounds as a person allows', async () => {
    const { run, model } = await atGate();
    await run.resume({ moreRounds: 2 });
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    expect(model.requests).toHaveLength(10);
    expect(run.getSnapshot().context).toMatchObject({ rounds: { draft: { text: 'draft 5' } } });
  });

  it('takes a text in place of the draft, and refuses one that is too long', async () => {
    const { run } = await atGate();
    const error: unknown = await run
      .resume({ output: { text: 'x'.repeat(2001) } })
      .catch((reason: unknown) => reason);
    expect(isEclError(error, 'input.invalid')).toBe(true);
    expect(String(error)).toContain('text: Too big');
    await run.resume({ output: { text: 'Mine.' } });
    expect(await run.result()).toEqual({ text: 'Mine.' });
  });
});

describe('critique-revise through crashes', () => {
  it('makes no model call twice with a restart after every answer', async () => {
    const model = new SteppedModel(scriptedModel(never(3)));
    const started = await start(model);
    let { ecl } = started;
    const { id } = started.run;
    for (let call = 1; call <= 6; call += 1) {
      await model.release();
      await until(ecl, id, { type: 'ModelReplied', count: call });
      ecl = await kept(simulateRestart(ecl));
      await ecl.get(id);
    }
    const run = await ecl.get(id);
    expect(await run.rest()).toMatchObject({ state: 'exhausted' });
    ecl = await kept(simulateRestart(ecl));
    await (await ecl.get(id)).resume({ accept: true });
    expect(await (await ecl.get(id)).result()).toEqual({ text: 'draft 3' });
    expect(model.answered).toHaveLength(6);
    await expectReplay(ecl, id);
  });

  it('comes to the same end when the process dies at every place', async () => {
    const always = (entry: Script[number]): Script[number] => ({ ...entry, times: 'always' });
    // The same request gets the same answer, however often a crash makes it be asked.
    const model = scriptedModel([
      always(draft('The sea is wide and 3.7 km deep.', 'Say how deep.')),
      always(draft('The sea is wide.')),
      {
        match: { schema: 'critique', contains: '3.7 km' },
        reply: { object: { decision: 'pass', feedback: '' } },
        times: 'always',
      },
      always(verdict('revise', 'Say how deep.')),
    ]);
    const { ecl, run } = await start(model, { crashAfter: 2 });
    const { handle, lives, ecl: last } = await crashEverywhere(ecl, run.id);
    expect(lives).toBeGreaterThan(8);
    expect(await handle.result()).toEqual({ text: 'The sea is wide and 3.7 km deep.' });
    expect(await eventsOf(last, run.id, 'ModelReplied')).toHaveLength(4);
    expect(await eventsOf(last, run.id, 'StepSucceeded')).toHaveLength(4);
    await expectReplay(last, run.id);
  });
});

describe('critique-revise with a model that misbehaves', () => {
  it('sends the issues back once, and goes on with the mended answer', async () => {
    const model = scriptedModel([
      { match: { schema: 'draft' }, reply: { object: { text: 'x'.repeat(2001) } } },
      draft('short'),
      { match: { schema: 'critique' }, reply: { text: 'looks good to me' } },
      verdict('pass'),
    ]);
    const { run } = await start(model);
    expect(await run.result()).toEqual({ text: 'short' });
    const repairs = model.requests.filter(({ messages }) => messages.length > 1);
    expect(repairs.map(({ messages }) => messages.at(-1)?.content)).toEqual([
      expect.stringContaining('text: Too big: expected string to have <=2000 characters'),
      expect.stringContaining('it is not JSON'),
    ]);
    expect(repairs[0]?.messages.at(-2)).toMatchObject({ role: 'assistant' });
  });

  it('fails after two attempts whose answers do not fit, four calls in all', async () => {
    const model = scriptedModel([{ reply: { object: { title: 'no text' } }, times: 'always' }]);
    const { run, clock } = await start(model);
    await clock.advance(60_000);
    expect(await run.rest()).toMatchObject({
      status: 'failed',
      error: { code: 'step.output-invalid' },
    });
    expect(model.requests).toHaveLength(4);
    await expect(run.result()).rejects.toThrow('The output of step draft does not fit its schema');
  });

  it('fails at once when the model refuses', async () => {
    const model = scriptedModel([{ error: { code: 'model.refused' } }, draft('never asked')]);
    const { run, clock } = await start(model);
    await clock.advance(600_000);
    expect(await run.rest()).toMatchObject({ status: 'failed', error: { code: 'model.refused' } });
    expect(model.requests).toHaveLength(1);
  });

  it('waits as long as an overloaded provider asks for, and goes on', async () => {
    const busy: Script[number] = { error: { code: 'model.overloaded', retryAfterMs: 30_000 } };
    const { run, clock } = await start([busy, ...satisfied]);
    await clock.advance(29_999);
    expect(await run.document()).toMatchObject({ state: 'draft', status: 'running' });
    await clock.advance(1);
    expect(await run.result()).toEqual({ text: 'The sea is wide and 3.7 km deep.' });
  });
});

describe('critique-revise under plain createActor', () => {
  it('comes to the same result', async () => {
    const restore = provideModel(satisfied);
    const actor = createActor(critiqueRevise.machine, { input: topic }).start();
    expect(await toPromise(actor)).toEqual({ text: 'The sea is wide and 3.7 km deep.' });
    restore();
  });

  it('waits at the same gate and ignores an output that does not fit', async () => {
    const restore = provideModel(never(3));
    const actor = createActor(critiqueRevise.machine, { input: topic }).start();
    await waitFor(actor, (snapshot) => snapshot.hasTag('gate'));
    actor.send({ type: 'rounds.replaced', output: { text: '' } });
    expect(actor.getSnapshot().value).toBe('exhausted');
    actor.send({ type: 'rounds.replaced', output: { text: 'Mine.' } });
    expect(await toPromise(actor)).toEqual({ text: 'Mine.' });
    restore();
  });
});

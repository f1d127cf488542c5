import { describe, expect, test } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { decide } from '../../src/core/decide.ts';
import { applyDecision } from '../../src/core/evolve.ts';
import type { Fact, JournalData } from '../../src/core/journal-events.ts';
import { limits } from '../../src/core/limits.ts';
import { given, Lab, signal, succeeds } from './kit.ts';

const machine = setup({ actors: { work: fromPromise(() => Promise.resolve(1)) } }).createMachine({
  id: 'm',
  version: '1',
  initial: 'a',
  states: { a: { invoke: { src: 'work', id: 'w', onDone: 'b' } }, b: { on: { note: {} } } },
});
const invocation = 'work#1';
const only = (lab: Lab) => lab.state.steps.get(invocation)!;

const started = (attempt = 1): Fact => ({
  type: 'StepAttemptStarted',
  data: { invocation, attempt },
});
const failedAttempt = (given: Partial<JournalData<'StepAttemptFailed'>> = {}): Fact => ({
  type: 'StepAttemptFailed',
  data: {
    invocation,
    attempt: 1,
    error: { code: 'model.timeout', message: 'slow' },
    retryAt: 99,
    replies: 'kept',
    ...given,
  },
});
const replied = (given: Partial<JournalData<'ModelReplied'>> = {}): Fact => ({
  type: 'ModelReplied',
  data: {
    invocation,
    attempt: 1,
    call: 1,
    request: 'r',
    model: 'claude',
    text: 't',
    stopReason: 'end',
    usage: { inputTokens: 10, outputTokens: 2 },
    cost: { usd: 0.5 },
    latencyMs: 3,
    ...given,
  },
});

describe('attempts', () => {
  test('a start that is recorded is counted, and the next attempt starts from none', () => {
    const lab = given(machine, started(), started());
    expect(only(lab)).toMatchObject({ attempt: 1, starts: 2 });
    given(lab, failedAttempt());
    expect(only(lab)).toMatchObject({ attempt: 2, starts: 0, retryAt: 99 });
  });

  test('outputs that did not fit are counted apart', () => {
    const error = { code: 'step.output-invalid', message: 'm' };
    expect(only(given(machine, failedAttempt({ error }))).invalidOutputs).toBe(1);
    expect(only(given(machine, failedAttempt())).invalidOutputs).toBe(0);
  });

  test('the next attempt gets the replies that are kept, and no others', () => {
    expect(only(given(machine, replied(), failedAttempt())).replies).toHaveLength(1);
    expect(
      only(given(machine, replied(), failedAttempt({ replies: 'discarded' }))).replies,
    ).toEqual([]);
  });

  test('values that were recorded once stay for all attempts, the undefined ones too', () => {
    const value = (name: string, more: object): Fact => ({
      type: 'ValueRecorded',
      data: { invocation, name, ...more },
    });
    const lab = given(machine, value('a', { value: [1] }), value('b', {}), failedAttempt());
    for (const state of [lab.state, lab.byReplay(), lab.bySnapshot()]) {
      expect([...state.steps.get(invocation)!.values]).toEqual([
        ['a', [1]],
        ['b', undefined],
      ]);
    }
  });

  test('an attempt that a pause ended is free to start again', () => {
    const lab = given(machine, started(), { type: 'RunPaused', data: { reason: 'r', invocation } });
    expect(only(lab).starts).toBe(0);
    expect(lab.state.pause).toEqual({ reason: 'r', invocation });
  });
});

describe('a resume', () => {
  test('is where the time of a budget is counted from', () => {
    const lab = given(machine, { type: 'RunPaused', data: { reason: 'r' } });
    expect(lab.state.grantedAt).toBe(lab.state.startedAt);
    given(lab, { type: 'RunResumed', data: {} });
    for (const state of [lab.state, lab.byReplay(), lab.bySnapshot()]) {
      expect(state.grantedAt).toBe(lab.state.updatedAt);
      expect(state.grantedAt).not.toBe(state.startedAt);
    }
  });
});

describe('model calls', () => {
  test('are counted with their tokens and their cost', () => {
    const unknown = { unknown: 'no price' };
    const lab = given(
      machine,
      replied(),
      replied({ call: 2, cost: unknown }),
      replied({ call: 3, usage: undefined }),
    );
    expect(lab.state.usage).toEqual({
      calls: 3,
      inputTokens: 20,
      outputTokens: 4,
      usd: 1,
      unpriced: 1,
    });
  });

  test('answered in another order than asked for, they never give a number twice', () => {
    expect(only(given(machine, replied({ call: 2 }), replied({ call: 1 }))).calls).toBe(2);
  });

  test('of a step that is over are paid for all the same', () => {
    const lab = given(machine, succeeds('w'), replied());
    expect(lab.state.usage.calls).toBe(1);
    expect(lab.state.steps.size).toBe(0);
  });
});

describe('a run', () => {
  test('keeps the artifacts of its steps, also of those that are over', () => {
    const artifact = { name: 'a.md', sha256: 'a'.repeat(64), bytes: 3, mediaType: 'text/markdown' };
    const stored: Fact = { type: 'ArtifactStored', data: { ...artifact, invocation } };
    expect(given(machine, stored, succeeds('w'), stored).state.artifacts).toEqual([
      artifact,
      artifact,
    ]);
  });

  test('remembers the ids of its newest signals, up to a limit', () => {
    const { state } = new Lab(machine);
    for (let n = 0; n < limits.signalIdsMax; n += 1) state.signals.add(`old-${n}`);
    const recorded = { id: 'i', revision: 3, hash: 'h', at: '' };
    applyDecision(state, decide(state, signal('note', 'new'), 0), [recorded]);
    expect(state.signals.size).toBe(limits.signalIdsMax);
    expect(['old-0', 'old-1', 'new'].map((id) => state.signals.has(id))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('counts its resumes, which end a pause', () => {
    const lab = given(
      machine,
      { type: 'RunPaused', data: { reason: 'r' } },
      { type: 'RunResumed', data: {} },
    );
    expect([lab.state.resumes, lab.state.pause]).toEqual([1, undefined]);
  });

  test('stands where its last event stands', () => {
    const lab = given(machine, succeeds('w'));
    expect(lab.state).toMatchObject({
      revision: lab.stored.length - 1,
      hash: lab.stored.at(-1)?.metadata['hash'],
      updatedAt: '2026-01-01T00:00:01.000Z',
    });
  });
});

test('facts about what is not there change nothing but the head', () => {
  const lab = given(machine, succeeds('w'));
  const before = lab.bySnapshot();
  given(
    lab,
    started(),
    failedAttempt(),
    { type: 'ValueRecorded', data: { invocation, name: 'n' } },
    { type: 'ChildFailed', data: { run: 'm.k~9', error: { code: 'x', message: '' } } },
    { type: 'SignalDelivered', data: { id: 'nobody' } },
  );
  expect({ ...lab.bySnapshot(), revision: 0, hash: '', updatedAt: '' }).toMatchObject({
    ...before,
    revision: 0,
    hash: '',
    updatedAt: '',
    snapshot: expect.anything() as object,
  });
});

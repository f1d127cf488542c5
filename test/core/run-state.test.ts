import { expect, test } from 'vitest';
import { createMachine, fromPromise, sendTo, setup, spawnChild } from 'xstate';
import { decide } from '../../src/core/decide.ts';
import { applyDecision } from '../../src/core/evolve.ts';
import { copyState } from '../../src/core/run-state.ts';
import { cancels, given, signal, visible } from './kit.ts';

const machine = setup({
  actors: { work: fromPromise(() => Promise.resolve(1)), kid: createMachine({ id: 'kid' }) },
}).createMachine({
  id: 'm',
  version: '1',
  invoke: { src: 'work', id: 'w' },
  after: { 1000: {} },
  on: { go: { actions: [spawnChild('kid', { id: 'k' }), sendTo('k', { type: 'hello' })] } },
});

test('what happens to a copy does not happen to the run', () => {
  const lab = given(
    machine,
    signal('go'),
    { type: 'ValueRecorded', data: { invocation: 'work#1', name: 'v', value: 1 } },
    {
      type: 'ArtifactStored',
      data: { invocation: 'work#1', name: 'a', sha256: 'a'.repeat(64), bytes: 1, mediaType: 'x/y' },
    },
  );
  const before = JSON.stringify(visible(lab.state));
  const copy = copyState(lab.state);
  expect(visible(copy)).toEqual(visible(lab.state));
  const recorded = { id: 'i', revision: 99, hash: 'h', at: 'later' };
  const replied = {
    type: 'ModelReplied',
    data: {
      invocation: 'work#1',
      attempt: 1,
      call: 1,
      request: 'r',
      model: 'm',
      text: '',
      stopReason: 'end',
      cost: { usd: 1 },
      latencyMs: 0,
    },
  } as const;
  const value = { type: 'ValueRecorded', data: { invocation: 'work#1', name: 'w' } } as const;
  for (const fact of [replied, value, signal('go', 'other'), cancels()]) {
    const decision = decide(copy, fact, 0);
    applyDecision(
      copy,
      decision,
      decision.events.map(() => recorded),
    );
  }
  expect(copy.ending).toBe('cancelled');
  expect(JSON.stringify(visible(lab.state))).toBe(before);
});

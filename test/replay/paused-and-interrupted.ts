import { fromPromise, setup } from 'xstate';
import { fails, type Given } from '../core/kit.ts';

export const machine = setup({
  actors: { send: fromPromise<unknown, unknown>(() => Promise.resolve(undefined)) },
}).createMachine({
  id: 'paused-and-interrupted',
  version: '1.0.0',
  context: {},
  initial: 'sending',
  states: {
    sending: { invoke: { id: 'send', src: 'send', onDone: 'sent', onError: 'checking' } },
    checking: { invoke: { id: 'check', src: 'send', onDone: 'sent' } },
    sent: { type: 'final' },
  },
});

export const status = 'failed';

const invocation = 'send#1';

export const life: Given[] = [
  { type: 'StepAttemptStarted', data: { invocation, attempt: 1 } },
  {
    type: 'RunPaused',
    data: {
      reason: 'The provider refused the credentials',
      error: { code: 'model.credentials', message: 'The provider refused the credentials', details: { status: 401 } },
      invocation,
    },
  },
  { type: 'RunResumed', data: { reason: 'a new key' } },
  { type: 'StepAttemptStarted', data: { invocation, attempt: 1 } },
  { type: 'StepInterrupted', data: { invocation, attempt: 1 } },
  { type: 'RunPaused', data: { reason: 'a person asked for it' } },
  { type: 'RunResumed', data: {} },
  fails('check', { code: 'model.rejected', message: 'no such model' }),
];

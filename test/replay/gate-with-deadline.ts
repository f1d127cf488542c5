import { cancel, emit, raise, setup } from 'xstate';
import { fires, signal, type Given } from '../core/kit.ts';

export const machine = setup({ delays: { patience: 3_600_000 } }).createMachine({
  id: 'gate-with-deadline',
  version: '1.0.0',
  context: {},
  initial: 'asking',
  states: {
    asking: {
      tags: ['gate'],
      description: 'Approve the **report**.',
      entry: emit(() => ({ type: 'asked', of: 'the editor' })),
      after: { patience: 'rejected' },
      on: {
        'report.approved': 'approved',
        'report.*': { actions: emit(({ event }) => ({ type: 'noted', event: event.type })) },
        remind: { actions: [cancel('reminder'), raise({ type: 'reminder' }, { id: 'reminder', delay: 60_000 })] },
        reminder: { target: 'asking', reenter: true },
      },
    },
    approved: { type: 'final' },
    rejected: { type: 'final', tags: ['failed'] },
  },
  output: { error: { code: 'gate.rejected', message: 'nobody answered in time' } },
});

export const status = 'failed';

export const life: Given[] = [
  signal('report.read', 'signal-1'),
  signal('remind', 'signal-2'),
  signal('remind', 'signal-3'),
  fires('reminder'),
  signal('nobody.knows.this', 'signal-4'),
  fires('xstate.after.patience.gate-with-deadline.asking'),
];

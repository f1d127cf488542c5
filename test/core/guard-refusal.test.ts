import { describe, expect, it } from 'vitest';
import { createActor, setup } from 'xstate';
import { guardWithReason, refusalOf } from '../../src/core/guard-refusal.ts';

const machine = setup({
  guards: {
    isBig: guardWithReason(({ event }, params) => {
      const { min } = params as { min: number };
      return (event as { size?: number }).size! >= min ? undefined : `size: at least ${min}`;
    }),
    never: () => false,
  },
}).createMachine({
  initial: 'open',
  states: {
    open: {
      on: {
        grow: [
          { guard: 'never', target: 'done' },
          { guard: { type: 'isBig', params: { min: 3 } } as never, target: 'done' },
        ],
        silent: { guard: 'never', target: 'done' },
      },
    },
    done: {},
  },
});

const snapshot = createActor(machine).getSnapshot();
const reason = (event: { type: string; size?: number }): string | undefined =>
  refusalOf(machine, snapshot, event);

describe('a guard with a reason', () => {
  it('is a guard to XState', () => {
    expect(snapshot.can({ type: 'grow', size: 2 })).toBe(false);
    expect(snapshot.can({ type: 'grow', size: 3 })).toBe(true);
  });

  it('says what is wrong with the event it does not let through', () => {
    expect(reason({ type: 'grow', size: 2 })).toBe('size: at least 3');
  });

  it('says nothing of an event that it lets through, nor do guards without reasons', () => {
    expect(reason({ type: 'grow', size: 3 })).toBeUndefined();
    expect(reason({ type: 'silent' })).toBeUndefined();
    expect(reason({ type: 'unknown' })).toBeUndefined();
  });
});

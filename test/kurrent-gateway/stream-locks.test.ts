/** Locks of streams: many that share or one alone, in the order in which they came. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamLocks, type LockMode } from '../../src/kurrent-gateway/stream-locks.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Wish {
  readonly streams: Readonly<Record<string, LockMode>>;
  readonly turns: number;
}

const anyWish: fc.Arbitrary<Wish> = fc.record({
  streams: fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom<LockMode>('shared', 'exclusive'),
    { minKeys: 1, noNullPrototype: true },
  ),
  turns: fc.nat({ max: 3 }),
});

describe('locks', () => {
  test('never let anybody in beside one that holds a stream alone, and let everybody in at last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyWish, { maxLength: 25 }), async (wishes) => {
        const locks = new StreamLocks();
        const inside = new Map<string, LockMode[]>();
        const work = async ({ streams, turns }: Wish): Promise<void> => {
          const entries = Object.entries(streams);
          for (const [stream, mode] of entries) {
            const others = inside.get(stream) ?? [];
            const isFree = mode === 'shared' ? !others.includes('exclusive') : others.length === 0;
            expect(isFree).toBe(true);
            inside.set(stream, [...others, mode]);
          }
          for (let turn = 0; turn < turns; turn += 1) await settled();
          for (const [stream, mode] of entries) {
            const left = inside.get(stream)!;
            left.splice(left.indexOf(mode), 1);
          }
        };
        await Promise.all(
          wishes.map((wish) =>
            locks.holding(new Map(Object.entries(wish.streams)), () => work(wish)),
          ),
        );
        for (const stream of ['a', 'b', 'c']) expect(locks.tryShared(stream)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('keep the order of arrival: nobody shares a stream past one that waits for it alone', async () => {
    const locks = new StreamLocks();
    const order: string[] = [];
    expect(locks.tryShared('s')).toBe(true);
    const alone = locks.acquire('s', 'exclusive').then(() => order.push('alone'));
    expect(locks.tryShared('s')).toBe(false);
    const shared = locks.acquire('s', 'shared').then(() => order.push('shared'));
    locks.release('s');
    await alone;
    locks.release('s');
    await shared;
    expect(order).toEqual(['alone', 'shared']);
  });

  test('are given back by work that fails', async () => {
    const locks = new StreamLocks();
    const wanted = new Map<string, LockMode>([['s', 'exclusive']]);
    await expect(locks.holding(wanted, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    expect(locks.tryShared('s')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { SimulatedClock } from 'ecl/testing';

const start = '2026-03-01T09:00:00.000Z';

const recorder = (): {
  clock: SimulatedClock;
  seen: string[];
  note: (what: string) => () => void;
} => {
  const clock = new SimulatedClock(start);
  const seen: string[] = [];
  const note = (what: string) => () => {
    seen.push(`${what} at ${new Date(clock.now()).toISOString().slice(11, 19)}`);
  };
  return { clock, seen, note };
};

const after = (ms: number): number => Date.parse(start) + ms;

describe('a simulated clock', () => {
  it('stands still until a test moves it', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(1), note('early'));
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(clock.now()).toBe(Date.parse(start));
    expect(seen).toEqual([]);
    expect(clock.scheduled).toBe(1);
  });

  it('fires by due time, and in the order of scheduling at one instant', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(3_000), note('third'));
    clock.schedule(after(1_000), note('first'));
    clock.schedule(after(3_000), note('fourth'));
    clock.schedule(after(2_000), note('second'));
    await clock.advance(3_000);
    expect(seen).toEqual([
      'first at 09:00:01',
      'second at 09:00:02',
      'third at 09:00:03',
      'fourth at 09:00:03',
    ]);
  });

  it('never fires early', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(1_000), note('due'));
    await clock.advance(999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['due at 09:00:01']);
  });

  it('fires a timer that another timer sets on the way', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(1_000), () => {
      void Promise.resolve().then(() => clock.schedule(after(2_000), note('second')));
    });
    await clock.advance(5_000);
    expect(seen).toEqual(['second at 09:00:02']);
    expect(clock.now()).toBe(after(5_000));
  });

  it('fires at once, but not within the call, what is overdue', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(-1_000), note('overdue'));
    expect(seen).toEqual([]);
    await clock.advance(0);
    expect(seen).toEqual(['overdue at 09:00:00']);
  });

  it('fires nothing that was cancelled, and nothing twice', async () => {
    const { clock, seen, note } = recorder();
    const cancel = clock.schedule(after(1_000), note('cancelled'));
    clock.schedule(after(1_000), note('kept'));
    cancel();
    await clock.advance(1_000);
    await clock.advance(1_000);
    expect(seen).toEqual(['kept at 09:00:01']);
    expect(clock.scheduled).toBe(0);
  });

  it('is set to an instant, and set back without firing again', async () => {
    const { clock, seen, note } = recorder();
    clock.schedule(after(60_000), note('minute'));
    await clock.set('2026-03-01T09:01:00.000Z');
    await clock.set(start);
    await clock.advance(120_000);
    expect(seen).toEqual(['minute at 09:01:00']);
  });

  it('refuses what is no instant and no duration', async () => {
    const { clock } = recorder();
    expect(() => new SimulatedClock('soon')).toThrow('"soon" is not an instant');
    await expect(clock.set('later')).rejects.toThrow('"later" is not an instant');
    await expect(clock.advance(-1)).rejects.toThrow('not -1');
    await expect(clock.advance(Number.NaN)).rejects.toThrow('not NaN');
  });
});

import { serial, step } from 'ecl';
import { createTestEcl, simulateRestart, SimulatedClock, type TestEclOptions } from 'ecl/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const ask = step({
  name: 'ask',
  input: z.object({ n: z.number() }),
  execute: async ({ model, input }) => ({ text: await model.text(`question ${input.n}`) }),
});
const flow = serial({ id: 'asking', version: '1.0.0', steps: [ask] });

const day = 24 * 60 * 60 * 1_000;
const replies = Array.from({ length: 20 }, () => ({ reply: { text: 'yes' } }));

const setUp = async (dailyBudget: NonNullable<TestEclOptions['dailyBudget']>) => {
  const clock = new SimulatedClock('2026-03-01T22:00:00.000Z');
  const ecl = await createTestEcl({ workflows: [flow], model: replies, clock, dailyBudget });
  const start = async (n: number, tenant = 'default', on = ecl) => {
    const run = await on.spawn(flow, { input: { n }, tenant });
    return { run, document: await run.rest() };
  };
  return { clock, ecl, start };
};

describe('a daily budget', () => {
  test('of all runs pauses whoever comes after it is spent, and lets it go on the next day', async () => {
    const { clock, start, ecl } = await setUp({ all: { calls: 2 } });
    expect((await start(1)).document.status).toBe('completed');
    expect((await start(2, 'acme')).document.status).toBe('completed');
    const { run, document } = await start(3);
    expect(document).toMatchObject({
      status: 'paused',
      error: {
        code: 'budget.exhausted',
        message: expect.stringContaining('all runs on 2026-03-01'),
      },
    });
    await run.resume();
    expect((await run.rest()).status).toBe('paused');
    await clock.advance(day);
    await run.resume();
    expect((await run.rest()).status).toBe('completed');
    await ecl.close();
  });

  test('of a tenant is no business of the others', async () => {
    const { start, ecl } = await setUp({ tenant: { calls: 1 } });
    expect((await start(1, 'acme')).document.status).toBe('completed');
    expect((await start(2, 'acme')).document).toMatchObject({
      status: 'paused',
      error: { message: expect.stringContaining('tenant acme') },
    });
    expect((await start(3, 'other')).document.status).toBe('completed');
    await ecl.close();
  });

  test('is not forgotten by a restart', async () => {
    const { start, ecl } = await setUp({ all: { calls: 1 } });
    expect((await start(1)).document.status).toBe('completed');
    const next = await simulateRestart(ecl);
    expect((await start(2, 'default', next)).document.status).toBe('paused');
    await next.close();
  });

  test('counts the calls that are under way', async () => {
    const { start, ecl } = await setUp({ all: { calls: 3 } });
    const runs = await Promise.all(Array.from({ length: 8 }, (_, n) => start(n)));
    const statuses = runs.map(({ document }) => document.status).toSorted();
    expect(statuses.filter((status) => status === 'completed')).toHaveLength(3);
    expect(statuses.filter((status) => status === 'paused')).toHaveLength(5);
    await ecl.close();
  });
});

import { expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { workflow } from 'ecl';
import { createTestEcl, SimulatedClock } from 'ecl/testing';

const ticking = workflow({
  machine: setup({
    actions: {
      count: assign({ ticks: ({ context }) => (context as { ticks: number }).ticks + 1 }),
    },
  }).createMachine({
    id: 'ticking',
    version: '1.0.0',
    context: { ticks: 0 },
    initial: 'on',
    states: { on: { after: { 1_000: { target: 'on', reenter: true, actions: 'count' } } } },
  }),
});

it('a handle shows the snapshot stored last, though nobody subscribed or asked before', async () => {
  const clock = new SimulatedClock();
  const ecl = await createTestEcl({ workflows: [ticking], clock });
  const run = await ecl.spawn(ticking, { key: 'a' });
  expect(run.getSnapshot().context).toEqual({ ticks: 0 });
  await clock.advance(3_000);
  expect(run.getSnapshot().context).toEqual({ ticks: 3 });
  await ecl.close();
});

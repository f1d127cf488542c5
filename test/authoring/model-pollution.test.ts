import { expect, test } from 'vitest';
import { z } from 'zod';
import { serial, step } from 'ecl';
import { World } from '../runtime/kit.ts';

const flow = serial({
  id: 'open',
  version: '1.0.0',
  steps: [
    step({
      name: 'ask',
      input: z.object({}),
      output: z.object({ answer: z.unknown() }),
      execute: ({ model }) => model.object('Answer.'),
    }),
  ],
});

test('an answer of a model that pollutes prototypes is sent back to it, and goes no further', async () => {
  const answers = ['{"answer":{"__proto__":{"admin":true}}}', '{"answer":{"admin":false}}'];
  const world = new World((_, { number }) => answers[number - 1] ?? 'never asked');
  const ecl = await world.open({ workflows: [flow] });
  const run = await ecl.spawn(flow, { key: 'a', input: {} });
  expect(await run.result()).toEqual({ answer: { admin: false } });
  expect(world.model.asked.at(-1)).toContain('__proto__');
});

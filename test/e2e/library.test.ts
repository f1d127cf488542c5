/** A program of a user that imports the built package by its name. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelServer } from '../durability/model-server.ts';
import { builtPackage, project, startProgram } from './built-cli.ts';

const program = `
import { createEcl, isEclError, rounds, serial, step, verdict } from 'ecl';
import { z } from 'zod';

const draft = step({
  name: 'draft',
  input: z.object({ topic: z.string() }),
  output: z.object({ text: z.string().max(2000) }),
  execute: ({ input, model }) => model.object(\`Write about \${input.topic} in under 2000 characters.\`),
  revise: ({ previous, feedback, model }) => model.object(\`Revise.\\n\${previous.text}\\n\\nCritique:\\n\${feedback}\`),
});
const critique = step({
  name: 'critique',
  input: draft.output,
  output: verdict(),
  execute: ({ input, model }) => model.object(\`Decide upon this text.\\n\${input.text}\`),
});
const flow = serial({
  id: 'critique-revise',
  version: '1.0.0',
  steps: [draft, rounds({ review: critique, of: draft, max: 3, onExhausted: 'ask' })],
});

const ecl = await createEcl({ store: 'sqlite:.ecl', model: 'anthropic:claude-test', workflows: [flow] });
const run = await ecl.spawn(flow, { key: 'sea-1', input: { topic: 'the sea' } });
const { text } = await run.result();
const other = await ecl
  .spawn(flow, { key: 'sea-1', input: { topic: 'the land' } })
  .catch((error) => isEclError(error, 'run.key-conflict') && error.code);
const { items } = await ecl.list({ workflow: 'critique-revise' });
console.log(JSON.stringify({ text, other, listed: items.map(({ id, status }) => [id, status]) }));
await ecl.close();
`;

const ecl = (folder: string, server: ModelServer) =>
  startProgram(folder, [process.execPath, 'app.mjs'], server.env).ended;

describe('a program that uses the library', () => {
  test('gets its result, and the same one without a call when it starts again', async () => {
    const server = await ModelServer.start();
    // The first draft is sent back.
    server.answer = ({ question, number }) =>
      question.startsWith('Decide')
        ? JSON.stringify({ decision: number > 3 ? 'pass' : 'revise', feedback: 'Say more.' })
        : JSON.stringify({ text: `The sea is wide. (${number})` });
    try {
      const folder = project({ 'app.mjs': program });
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(builtPackage, join(folder, 'node_modules/ecl'));
      for (const name of ['zod', 'xstate']) {
        symlinkSync(join(builtPackage, 'node_modules', name), join(folder, 'node_modules', name));
      }
      const first = await ecl(folder, server);
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(first.stdout)).toEqual({
        text: 'The sea is wide. (3)',
        other: 'run.key-conflict',
        listed: [['critique-revise.sea-1', 'completed']],
      });
      expect(server.calls).toHaveLength(4);
      const second = await ecl(folder, server);
      expect(second.stdout).toBe(first.stdout);
      expect(server.calls).toHaveLength(4);
    } finally {
      await server.stop();
    }
  });
});

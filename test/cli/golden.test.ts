/**
 * What people read of a document-review that took three rounds, a provider that was busy once, and a person's word: to the
 * letter. `ECL_WRITE_GOLDEN=1` writes the file anew; read the difference before it is kept.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEcl, type Model } from 'ecl';
import { scriptedModel, SimulatedClock, type Script } from 'ecl/testing';
import { expect, test } from 'vitest';
import { documentReview } from '../../machines/index.ts';
import { inFolder, write } from './kit.ts';

const golden = join(dirname(fileURLToPath(import.meta.url)), 'golden', 'document-review.txt');

const usage = { inputTokens: 1_840, outputTokens: 220, cacheReadTokens: 600 };
const model = 'claude-sonnet-5-5';

const extracted = (round: number): Script[number] => ({
  match: { schema: 'extract' },
  reply: {
    model,
    usage,
    object: {
      title: `Sea and moon, draft ${round}`,
      summary: 'The sea is salty, and the moon moves it.',
      points: [{ text: 'Water holds salt.', quote: 'The sea is salty.', source: 'sea.md' }],
    },
  },
});

const reviewed = (feedback: string): Script[number] => ({
  match: { schema: 'review' },
  reply: { model, usage, object: { decision: 'revise', feedback, criteria: [] } },
});

const script: Script = [
  extracted(1),
  reviewed('Says nothing of the moon.'),
  { match: { schema: 'extract' }, error: { code: 'model.overloaded', retryAfterMs: 4_000 } },
  extracted(2),
  reviewed('Still nothing of the moon; see the second file, which was given for it.'),
  extracted(3),
  reviewed('No.'),
];

/** Each answer takes its time, on a clock that only it moves. */
const slow = (clock: SimulatedClock): Model => {
  const inner = scriptedModel(script);
  return {
    ...inner,
    id: `anthropic:${model}`,
    isLanguageModel: true,
    complete: async (request, options) => {
      await clock.advance(1_250);
      return inner.complete(request, options);
    },
  };
};

test('status and trace of a document-review are, to the letter, what they were', async () => {
  const { ecl: cli, folder } = inFolder();
  const files = [
    write(folder, 'sea.md', '# The sea\n\nThe sea is salty.\n'),
    write(folder, 'moon.md', '# The moon\n\nThe moon pulls the tides.\n'),
  ];
  const clock = new SimulatedClock();
  const store = `sqlite:${join(folder, '.ecl')}`;
  const ecl = await createEcl({ store, model: slow(clock), clock, workflows: [documentReview] });
  const run = await ecl.spawn(documentReview, {
    key: 'one',
    input: { files, instructions: 'Say what moves the sea.' },
  });
  const retrying = (async () => {
    const types = ['StepAttemptFailed'] as const;
    for await (const { data } of ecl.events({ run: run.id, types, live: true })) {
      const { retryAt } = data as { retryAt: number };
      await clock.advance(retryAt - clock.now());
      return;
    }
  })();
  await Promise.all([run.rest(), retrying]);
  await clock.advance(200_000);
  await run.send({ type: 'rounds.accepted' });
  await run.result();
  await ecl.close();

  const shown: string[] = [];
  for (const args of [['status'], ['trace']]) {
    const { stdout } = await cli(...args, 'document-review.one');
    const same = stdout.replaceAll(folder, '<folder>').replaceAll('npx ecl', 'ecl');
    shown.push(`$ ecl ${args.join(' ')} document-review.one`, same);
  }
  const text = shown.join('\n');
  if (process.env['ECL_WRITE_GOLDEN'] === '1') writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

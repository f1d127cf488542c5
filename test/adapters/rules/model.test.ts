import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createRulesModel } from '../../../src/adapters/rules/model.ts';
import { wordsOf } from '../../../src/adapters/rules/words.ts';
import { Verdict } from '../../../src/core/rounds.ts';
import type { JsonSchema, ModelDocument, ModelRequest } from '../../../src/ports/model.ts';
import { callOptions, collect, modelContract } from '../../contracts/model-contract.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const lighthouse = { name: 'lighthouse.md', text: fixture('lighthouse.md') };
const wordy = fixture('wordy.md');

const model = createRulesModel();

const text = async (content: string, rest: Partial<ModelRequest> = {}): Promise<string> => {
  const request = { messages: [{ role: 'user' as const, content }], ...rest };
  return (await model.complete(request, callOptions())).text;
};

const object = async <Value>(
  content: string,
  schema: z.ZodType<Value>,
  rest: Partial<ModelRequest> = {},
): Promise<Value> => {
  const output = { name: 'x', schema: z.toJSONSchema(schema, { io: 'input' }) as JsonSchema };
  return schema.parse(JSON.parse(await text(content, { output, ...rest })));
};

const document = (name: string, value: unknown): ModelDocument => ({
  name,
  text: typeof value === 'string' ? value : JSON.stringify(value),
});

modelContract({ name: 'rules', isLanguageModel: false, open: async () => createRulesModel() });

test('it is called rules, is no language model and costs no tokens', async () => {
  expect([model.id, model.isLanguageModel]).toEqual(['rules', false]);
  const messages = [{ role: 'user' as const, content: 'The sea is deep.' }];
  expect(await model.complete({ messages }, callOptions())).toMatchObject({
    model: 'rules',
    usage: { inputTokens: 0, outputTokens: 0 },
  });
});

describe('a summary', () => {
  test('is made of sentences of the source, in its order, and is shorter', async () => {
    const summary = await text('Summarise this document.', { documents: [lighthouse] });
    const source = lighthouse.text.replace(/\s+/g, ' ');
    expect(summary.length).toBeLessThan(source.length / 2);
    let at = 0;
    for (const sentence of summary.split(/(?<=[.!?"]) (?=[A-Z])/)) {
      const found = source.indexOf(sentence, at);
      expect([sentence, found >= at]).toEqual([sentence, true]);
      at = found + sentence.length;
    }
    expect(summary).not.toMatch(/\||```|const height|title:|#/);
  });

  test('is the same every time, in every model', async () => {
    const ask = (): Promise<string> => text('Summarise.', { documents: [lighthouse] });
    const first = await ask();
    expect(await ask()).toBe(first);
    const other = await createRulesModel().complete(
      { messages: [{ role: 'user', content: 'Summarise.' }], documents: [lighthouse] },
      callOptions(),
    );
    expect(other.text).toBe(first);
  });

  test('follows the instructions', async () => {
    const about = (what: string): Promise<string> =>
      text(`Summarise what the document says about ${what}, in one sentence.`, {
        documents: [lighthouse],
      });
    expect(await about('hydraulic lime')).toMatch(/[Hh]ydraulic lime/);
    expect(await about('the oak tree')).toMatch(/oak tree/);
    expect(await about('the Great Storm')).toMatch(/Great Storm/);
  });

  test('keeps the limits that the instructions state', async () => {
    const ask = (limit: string): Promise<string> =>
      text(`Summarise in ${limit}.`, { documents: [lighthouse] });
    expect((await ask('under 300 characters')).length).toBeLessThan(300);
    expect(wordsOf(await ask('at most 40 words')).length).toBeLessThanOrEqual(40);
    const two = await ask('two sentences');
    expect(two.match(/[.!?"](?: [A-Z]|$)/g)).toHaveLength(2);
  });

  test('leaves no document out', async () => {
    const bread = document('bread', 'Bread is made of flour. Flour is made of wheat. Wheat grows.');
    const sea = document('sea', 'The sea is made of water. Water is wet. The sea is salty.');
    const summary = await text('Summarise.', { documents: [lighthouse, bread, sea] });
    expect(summary).toMatch(/flour/i);
    expect(summary).toMatch(/water|salty/i);
  });

  test('without documents is of the prompt itself, after its first line', async () => {
    const summary = await text(`Summarise this in two sentences:\n${lighthouse.text}`);
    expect(summary).toMatch(/tower|lighthouse|rock/);
    expect(summary).not.toContain('Summarise this');
    expect(await text('The sea is deep.')).toBe('The sea is deep.');
    expect(await text('')).toBe('');
  });

  test('of several thousand paragraphs takes a moment', async () => {
    const many = Array.from({ length: 60 }, (_, at) => lighthouse.text.replaceAll('1698', `${at}`));
    const started = performance.now();
    const summary = await text('Summarise.', { documents: [document('many', many.join('\n\n'))] });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(summary).not.toBe('');
  });

  test('holds nothing that steers a terminal', async () => {
    const hostile = 'The \u001b[31msea\u001b[0m is deep\u0007. The sea is \u202esalty.';
    const summary = await text('Summarise.', { documents: [document('hostile', hostile)] });
    // oxlint-disable-next-line no-control-regex
    expect(summary).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe('a request with a decision', () => {
  test('passes a good text and sends a wordy one back', async () => {
    const good = await object(`Critique this text.\n${lighthouse.text}`, Verdict);
    expect(good).toMatchObject({
      decision: 'pass',
      feedback: expect.stringMatching(/^Nothing serious was found/),
    });
    const bad = await object(`Critique this text.\n${wordy}`, Verdict);
    expect(bad.decision).toBe('revise');
    expect(bad.feedback).toMatch(/^1\. Sentence 1 \("Due to the fact/);
  });

  test('reads the document named draft, or the last one', async () => {
    const draft = document('Draft.md', 'We we sail.');
    const asked = await object('Review.', Verdict, { documents: [draft, lighthouse] });
    expect(asked.feedback).toContain('"we" stands twice');
    const last = await object('Review.', Verdict, {
      documents: [lighthouse, document('x', 'We we sail.')],
    });
    expect(last.feedback).toContain('"we" stands twice');
  });

  test('takes the other documents for sources', async () => {
    const draft = document('draft', 'The tower cost 7,500 pounds.');
    const verdict = await object('Check the draft against the sources.', Verdict, {
      documents: [lighthouse, draft],
    });
    expect(verdict).toMatchObject({
      decision: 'revise',
      feedback: expect.stringMatching(/7,500 stands in no source/),
    });
  });

  test('sees the limits of the instructions', async () => {
    const verdict = await object(
      'Critique. At most 10 words.\nThe sea is deep and wide and it is so salty.',
      Verdict,
    );
    expect(verdict.feedback).toContain('it has 11 words; the limit is 10 words');
  });

  test('is answered at once when the text is the prompt or is empty', async () => {
    expect(await object('We we sail.', Verdict)).toMatchObject({ decision: 'revise' });
    expect(await object('', Verdict)).toMatchObject({
      decision: 'revise',
      feedback: expect.stringMatching(/it is empty/),
    });
  });

  test('fills lists of issues, scores and other fields of a review', async () => {
    const Review = z.object({
      decision: z.enum(['pass', 'revise']),
      isApproved: z.boolean(),
      needsRevision: z.boolean(),
      score: z.int().min(0).max(10),
      issues: z.array(
        z.object({
          where: z.string(),
          quote: z.string(),
          problem: z.string(),
          suggestion: z.string(),
          severity: z.enum(['low', 'high']),
        }),
      ),
      strengths: z.array(z.string()),
      feedback: z.string().max(200).optional(),
    });
    const review = await object('Review.\nThe sea is deep. We we sail in order to fish.', Review);
    expect(review).toMatchObject({
      decision: 'revise',
      isApproved: false,
      needsRevision: true,
      score: 7,
      issues: [
        {
          where: 'Sentence 2',
          quote: 'We we sail in order to fish.',
          suggestion: 'Keep one of the two.',
          severity: 'high',
        },
        { suggestion: 'Write "to".' },
      ],
      strengths: [],
    });
    const good = await object('Review.\nThe sea is deep.', Review);
    expect(good).toMatchObject({ decision: 'pass', isApproved: true, score: 10, issues: [] });
  });
});

describe('a revision', () => {
  const Text = z.object({ text: z.string().max(2000) });

  test('in the words of a prompt', async () => {
    const prompt = `Revise.\n${wordy}\n\nCritique:\n1. Sentence 1: "we" stands twice in a row.`;
    const revised = await object(prompt, Text);
    expect(revised.text).toMatch(
      /^# Report on the pilot\n\nBecause the pilot was small, we decided/,
    );
    expect(revised.text).not.toMatch(/Critique|Revise/);
    expect(await text(prompt)).toBe(revised.text);
  });

  test('in a prompt whose feedback talks of reviews', async () => {
    const prompt = 'Revise.\nThe sea is big.\n\nCritique:\nReview: use "wide" instead of "big".';
    expect(await text(prompt)).toBe('The sea is wide.');
    expect(await text('Fix this.\nThe sea is big.\nFeedback: use "wide" instead of "big".')).toBe(
      'The sea is wide.',
    );
  });

  test('by documents named draft and feedback', async () => {
    const documents = [
      document('draft', 'We we sail. The sea is big.'),
      document('feedback', 'Replace "big" with "wide".'),
    ];
    expect(await object('Go on.', Text, { documents })).toEqual({
      text: 'We sail. The sea is wide.',
    });
    const verdict = [
      document('previous', 'We we sail.'),
      document('verdict', { decision: 'revise', feedback: 'Replace "sail" with "row" in it.' }),
    ];
    expect(await object('Go on.', Text, { documents: verdict })).toEqual({ text: 'We row.' });
  });

  test('without a feedback, when the prompt asks for one', async () => {
    const documents = [document('draft', 'We sail in order to fish.')];
    expect(await object('Please tighten the draft.', Text, { documents })).toEqual({
      text: 'We sail to fish.',
    });
    expect(await text('Rewrite this.\nWe sail in order to fish.')).toBe('We sail to fish.');
  });

  test('fits a smaller schema than the draft', async () => {
    const Short = z.object({ text: z.string().max(60) });
    const revised = await object(`Revise.\n${wordy}\n\nFeedback:\nToo long.`, Short);
    expect(revised.text.length).toBeLessThanOrEqual(60);
  });

  test('keeps the shape of a draft that is JSON', async () => {
    const Brief = z.object({
      title: z.string(),
      summary: z.string(),
      points: z.array(z.object({ text: z.string(), quote: z.string(), source: z.string() })).min(1),
      tags: z.array(z.enum(['sea', 'land'])),
    });
    const draft: z.infer<typeof Brief> = {
      title: 'In order to win',
      summary: 'We we built the tower in order to win.',
      points: [
        {
          text: 'The light was very bright in 1759.',
          quote: 'The light was first lit on 16 October 1759',
          source: 'lighthouse.md',
        },
      ],
      tags: ['land'],
    };
    const documents = [lighthouse, document('draft', draft), document('feedback', 'Mend it.')];
    expect(await object('Revise the brief.', Brief, { documents })).toEqual({
      ...draft,
      summary: 'We built the tower to win.',
      points: [{ ...draft.points[0], text: 'The light was bright in 1759.' }],
    });
  });
});

test('draft, critique and revision come to an end within three rounds', async () => {
  const Text = z.object({ text: z.string().max(500) });
  let { text: draft } = await object(
    `Write up these notes in under 500 characters.\n${wordy}`,
    Text,
  );
  const decisions: string[] = [];
  for (let round = 1; round <= 3; round += 1) {
    const verdict = await object(`Critique this text.\n${draft}`, Verdict);
    decisions.push(verdict.decision);
    if (verdict.decision === 'pass') break;
    draft = (await object(`Revise.\n${draft}\n\nCritique:\n${verdict.feedback}`, Text)).text;
  }
  expect(decisions).toEqual(['revise', 'pass']);
});

test('a request to mend an answer is answered by what was asked before it', async () => {
  const messages: ModelRequest['messages'] = [
    { role: 'user', content: 'Summarise.\nThe sea is deep.' },
    { role: 'assistant', content: '{}' },
    { role: 'user', content: 'Your answer does not fit the schema: text: Required\nAnswer again.' },
  ];
  const reply = await model.complete({ messages }, callOptions());
  expect(reply.text).toBe('The sea is deep.');
});

test('a plain critique is its feedback', async () => {
  expect(await text('Critique this text.\nWe we sail.')).toBe(
    '1. Sentence 1 ("We we sail."): "we" stands twice in a row. Keep one of the two.',
  );
});

test('a stream is the answer word by word', async () => {
  const messages = [{ role: 'user' as const, content: 'The sea is deep.' }];
  const chunks = await collect(model.stream({ messages }, callOptions()));
  expect(chunks.slice(0, 2)).toEqual([
    { kind: 'text', text: 'The ' },
    { kind: 'text', text: 'sea ' },
  ]);
});

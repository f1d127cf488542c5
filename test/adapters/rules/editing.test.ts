/** The parts that judge and change text: wordiness, critique, rewriting, shortening. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { critiqueDraft, feedbackOf, type Complaint } from '../../../src/adapters/rules/critique.ts';
import { mendSentence, rewriteDraft } from '../../../src/adapters/rules/rewrite.ts';
import { shorten } from '../../../src/adapters/rules/shorten.ts';
import type { StatedLimits } from '../../../src/adapters/rules/stated-limits.ts';
import { sourcesOf } from '../../../src/adapters/rules/support.ts';
import { findDoubled, findWordy, isPassive } from '../../../src/adapters/rules/wordiness.ts';
import { wordsOf } from '../../../src/adapters/rules/words.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const lighthouse = { name: 'lighthouse.md', text: fixture('lighthouse.md') };
const wordy = fixture('wordy.md');

const complaintsAbout = (
  draft: string,
  options: { limits?: StatedLimits; documents?: { name: string; text: string }[] } = {},
): Complaint[] =>
  critiqueDraft(draft, {
    limits: options.limits ?? {},
    sources: sourcesOf(options.documents ?? []),
  });

const seriousOf = (complaints: readonly Complaint[]): Complaint[] =>
  complaints.filter((complaint) => complaint.isSerious);

const revise = (
  draft: string,
  feedback = '',
  options: { limits?: StatedLimits; documents?: { name: string; text: string }[] } = {},
): ReturnType<typeof rewriteDraft> =>
  rewriteDraft(draft, {
    feedback,
    limits: options.limits ?? {},
    sources: sourcesOf(options.documents ?? []),
    documents: options.documents ?? [],
  });

describe('a sentence is mended', () => {
  test.each([
    ['We went in order to see.', 'We went to see.'],
    ['In order to see, we went.', 'To see, we went.'],
    ['Due to the fact that it rained, we left.', 'Because it rained, we left.'],
    ['It is important to note that the sea is deep.', 'The sea is deep.'],
    ['However, it should be noted that the sea is deep.', 'However, the sea is deep.'],
    ['A majority of the members came.', 'Most of the members came.'],
    ['A majority of members came.', 'Most members came.'],
    ['They are able to utilize it.', 'They can use it.'],
    ['It was a very old tower.', 'It was an old tower.'],
    ['It was an extremely useful tool.', 'It was a useful tool.'],
    ['It is really an hour.', 'It is an hour.'],
    ['The the tower fell fell.', 'The tower fell.'],
    ['He went to to in order to see.', 'He went to see.'],
    ['We met on\na daily basis there.', 'We met daily there.'],
  ])('%s → %s', (before, after) => {
    expect(mendSentence(before)).toBe(after);
  });

  test.each([
    'He had had enough, and that that is so is known.',
    'They played Duran Duran on Bora Bora.',
    'She said "in order to win win".',
    'Run `utilize utilize` now.',
    'See https://example.org/in-order-to-see.',
    'It is not very good, and this is the very place.',
    'Very much of it is so very small.',
    'Gin order to go.',
  ])('%s stays', (text) => {
    expect(mendSentence(text)).toBe(text);
  });

  test('is mended once: mending it again changes nothing', () => {
    const words = fc.constantFrom(
      ...'the sea very really in order to a majority of utilize we we had due fact that is able'.split(
        ' ',
      ),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (list) => {
        const once = mendSentence(`${list.join(' ')}.`);
        expect(mendSentence(once)).toBe(once);
        expect(findWordy(once)).toEqual([]);
        expect(findDoubled(once)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

test.each([
  ['The tower was built by Smeaton.', true],
  ['The stones were quickly taken away.', true],
  ['Smeaton built the tower.', false],
  ['It is red and a hundred years old.', false],
])('%s says who acts: not %s', (sentence, passive) => {
  expect(isPassive(sentence)).toBe(passive);
});

describe('critique', () => {
  test('of a good text finds nothing serious', () => {
    expect(seriousOf(complaintsAbout(lighthouse.text))).toEqual([]);
    expect(feedbackOf([])).toBe('Nothing serious was found.');
  });

  test('names the sentence, quotes it, says what is wrong and what to do', () => {
    const feedback = feedbackOf(complaintsAbout('The sea is deep. We we sail in order to fish.'));
    expect(feedback).toBe(
      [
        '1. Sentence 2 ("We we sail in order to fish."): "we" stands twice in a row. Keep one of the two.',
        '2. Sentence 2 ("We we sail in order to fish."): "in order to" says little in many words. Write "to".',
      ].join('\n'),
    );
  });

  test('finds every kind of problem in a wordy report', () => {
    const kinds = new Set(complaintsAbout(wordy).map((complaint) => complaint.kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining(['doubled word', 'wordiness', 'repetition', 'long sentence']),
    );
  });

  test('of nothing says that it is empty', () => {
    for (const draft of ['', '  \n', '---', '""', '{}']) {
      expect(complaintsAbout(draft)[0]).toMatchObject({ kind: 'empty', isSerious: true });
    }
  });

  test.each([
    [{ characters: 20 }, 'it has 33 characters; the limit is 20 characters'],
    [{ words: 3 }, 'it has 8 words; the limit is 3 words'],
    [{ sentences: 1 }, 'it has 2 sentences; the limit is 1 sentence'],
  ])('sees the limit %j', (limits, problem) => {
    expect(complaintsAbout('The sea is deep. It is very salty', { limits })).toContainEqual(
      expect.objectContaining({ kind: 'length', problem, isSerious: true }),
    );
  });

  test('takes matters of taste for notes', () => {
    const passive = 'The stone was cut. It was moved. It was set. It was lit. It was lost. ';
    const complaints = complaintsAbout(passive);
    expect(complaints.map((complaint) => complaint.kind)).toEqual(['passive voice']);
    expect(seriousOf(complaints)).toEqual([]);
    expect(feedbackOf(complaints)).toMatch(
      /^Nothing serious was found\.\nNotes:\n- The text: 5 of 5/,
    );
  });

  test('finds numbers and quotations that stand in no source', () => {
    const documents = [lighthouse];
    const draft =
      'Work began in 1696. It cost 7,500 pounds. He wished to be inside "during the greatest storm there ever was". He said "this tower will stand for ever".';
    const problems = complaintsAbout(draft, { documents }).map((each) => each.problem);
    expect(problems).toEqual([
      'the number 7,500 stands in no source',
      'the quotation "this tower will stand for ever" stands in no source',
    ]);
    expect(complaintsAbout(draft)).toEqual([]);
  });

  test('reads a draft that is JSON by its texts, and checks its quotations', () => {
    const draft = JSON.stringify({
      title: 'We we',
      summary: 'We we saw the light.',
      points: [
        { text: 'It was a tower.', quote: 'It was an octagonal tower of wood' },
        { text: 'It was a tower.', quote: 'It was a tower of glass and gold' },
      ],
    });
    expect(
      complaintsAbout(draft, { documents: [lighthouse] }).map(({ where, kind }) => [where, kind]),
    ).toEqual([
      ['summary, sentence 1', 'doubled word'],
      ['points.1.text, sentence 1', 'repetition'],
      ['points.1.quote', 'unsupported'],
    ]);
  });

  test('lists at most a dozen places and counts the others', () => {
    const draft = Array.from({ length: 30 }, (_, at) => `We we saw ${at} ships there.`).join(' ');
    const lines = feedbackOf(complaintsAbout(draft)).split('\n');
    expect(lines).toHaveLength(13);
    expect(lines.at(-1)).toBe('18 more places are of the same kinds.');
  });
});

describe('a rewrite', () => {
  test('mends what the critique found, and leaves the rest as it is', () => {
    const feedback = feedbackOf(complaintsAbout(wordy));
    const { text } = revise(wordy, feedback);
    expect(text).toContain(
      '# Report on the pilot\n\nBecause the pilot was small, we decided to extend it.',
    );
    expect(text.match(/team met weekly/g)).toHaveLength(1);
    expect(text.length).toBeLessThan(wordy.length);
    expect(seriousOf(complaintsAbout(text))).toEqual([]);
  });

  test('of a good text changes nothing', () => {
    expect(revise(lighthouse.text).text).toBe(lighthouse.text);
  });

  test('keeps headings, code, tables and quotes to the letter', () => {
    const draft = [
      '# In order to begin',
      '```\nutilize utilize\n```',
      '| in order to | b |\n| - | - |',
      '> We we said so in order to win.',
      '- In order to win, play.',
    ].join('\n\n');
    expect(revise(draft).text).toBe(draft.replace('- In order to win', '- To win'));
  });

  test('makes two sentences of a long one at its semicolon', () => {
    const half =
      'the keepers of the light wrote down every ship that passed the rocks in the night';
    const long = `On the first day ${half} and ${half}; on the second day ${half} and ${half}.`;
    expect(revise(long).text).toBe(
      `On the first day ${half} and ${half}. On the second day ${half} and ${half}.`,
    );
  });

  test.each([
    ['Please keep it under 60 characters.', 60],
    ['The text: it has 900 characters; the limit is 120 characters.', 120],
    ['This is too long.', Math.floor(wordy.trim().length * 0.7)],
  ])('follows "%s"', (feedback, limit) => {
    const { text } = revise(wordy, feedback);
    expect(text.trim().length).toBeLessThanOrEqual(limit);
    expect(text.trim()).not.toBe('');
  });

  test('does as a person says: replace, use instead, remove, drop a sentence', () => {
    const draft = 'The sea is big. The land is big. The sky is high. The end is near.';
    const feedback = [
      'Replace "big" with "wide".',
      'Use "low" instead of "high".',
      'Remove "The land" and drop sentence 4.',
    ].join(' ');
    expect(revise(draft, feedback).text).toBe('The sea is wide. Is wide. The sky is low.');
  });

  test('adds what is missing, from a source', () => {
    const { text } = revise('The tower was moved.', 'Mention hydraulic lime and mortar.', {
      documents: [lighthouse],
    });
    expect(text).toMatch(
      /^The tower was moved\.\n\nHe used blocks of granite .*hydraulic lime, a mortar/,
    );
  });

  test('drops claims that stand in no source, with the sources or by the feedback alone', () => {
    const draft = 'Work began in 1696. It cost 7,500 pounds.';
    const documents = [lighthouse];
    const expected = 'Work began in 1696.';
    expect(revise(draft, '', { documents }).text).toBe(expected);
    const feedback = feedbackOf(complaintsAbout(draft, { documents }));
    expect(revise(draft, feedback).text).toBe(expected);
  });

  test('of a draft that is JSON gives JSON of the same shape, its quotations made true', () => {
    const draft = JSON.stringify({
      title: 'In order to win',
      summary: 'We use it in order to win the game.',
      points: [
        { text: 'It was lit in 1759.', quote: 'The light was first lit on 16 October' },
        { text: 'It cost 999 pounds, all told.', quote: 'a tower of octagonal wood' },
      ],
      count: 2,
    });
    const { value } = revise(draft, '', { documents: [lighthouse] });
    expect(value).toEqual({
      title: 'In order to win',
      summary: 'We use it to win the game.',
      points: [{ text: 'It was lit in 1759.', quote: 'The light was first lit on 16 October' }],
      count: 2,
    });
    const quote = JSON.stringify({ quote: 'a tower of octagonal wood with stanchions' });
    expect(revise(quote, '', { documents: [lighthouse] }).value).toEqual({
      quote: 'It was an octagonal tower of wood, held down by twelve iron stanchions.',
    });
  });

  const sentence = fc.constantFrom(
    'The sea is deep.',
    'We we went in order to see it.',
    'Due to the fact that it rained, a very old tower fell.',
    'It cost 4,711 pounds at that point in time.',
    'He said "this is not in any source at all".',
    'The light was lit on 14 November 1698.',
    'However, it is worth noting that that is so.',
    'The keepers of the light wrote down all the ships that passed the rocks in the night and in the day; the owners of the ships paid a penny for each ton of the cargo that passed the light safely.',
  );
  const draft = fc
    .array(fc.tuple(sentence, fc.constantFrom(' ', '\n', '\n\n', '\n\n## Part\n\n', '\n- ')), {
      minLength: 1,
      maxLength: 12,
    })
    .map((parts) => parts.map(([text, gap]) => text + gap).join(''));

  test('converges: what it mended is not complained about again', () => {
    fc.assert(
      fc.property(
        draft,
        fc.boolean(),
        fc.option(fc.integer({ min: 30, max: 400 }), { nil: undefined }),
        (text, hasSources, characters) => {
          const documents = hasSources ? [lighthouse] : [];
          const limits = characters === undefined ? {} : { characters };
          const feedback = feedbackOf(complaintsAbout(text, { limits, documents }));
          const rewritten = revise(text, feedback, { documents }).text;
          const left = seriousOf(complaintsAbout(rewritten, { limits, documents }));
          // A draft in which nothing was true is empty then, and that is left to a person.
          expect(left.filter((complaint) => complaint.kind !== 'empty')).toEqual([]);
          const again = revise(rewritten, '', { documents, limits }).text;
          expect(again.trim()).toBe(rewritten.trim());
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('shortening', () => {
  test('keeps whole sentences in their order until they fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 120, max: 3000 }), (characters) => {
        const short = shorten(lighthouse.text, { characters });
        expect(short.trim().length).toBeLessThanOrEqual(characters);
        let at = 0;
        for (const each of short.split('\n').filter((line) => !line.endsWith('…'))) {
          const found = lighthouse.text.indexOf(each.trim().slice(0, 40), at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found;
        }
      }),
      { numRuns: 40 },
    );
  });

  test('counts words and sentences too, and cuts the last sentence only when it must', () => {
    const text = 'The sea is deep and wide. The sea is salty. Bread is good.';
    expect(shorten(text, { sentences: 2 }).trim()).toBe(
      'The sea is deep and wide. The sea is salty.',
    );
    expect(wordsOf(shorten(text, { words: 7 })).length).toBeLessThanOrEqual(7);
    expect(shorten(text, { words: 2 })).toMatch(/^\S+ \S+…$/);
    expect(shorten(text, { characters: 10 })).toMatch(/^.{1,9}…$/);
    expect(shorten('🙂🙂🙂🙂', { characters: 4 })).toBe('🙂…');
    expect(shorten(text, { characters: 1 })).toBe('…');
  });

  test('takes a heading away with the last sentence below it', () => {
    const text = '# Sea\n\nThe sea is deep. The deep sea is salty.\n\n# Bread\n\nBread is good.\n';
    expect(shorten(text, { sentences: 2 })).toBe(
      '# Sea\n\nThe sea is deep. The deep sea is salty.\n\n',
    );
  });
});

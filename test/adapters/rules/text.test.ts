/** The parts that read text: Markdown, sentences, words, ranks, keyphrases, readability, stated limits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyphrasesOf } from '../../../src/adapters/rules/keyphrases.ts';
import {
  blocksOf,
  plainText,
  withoutControls,
  withoutHtml,
} from '../../../src/adapters/rules/markdown.ts';
import { readabilityOf, syllablesOf } from '../../../src/adapters/rules/readability.ts';
import {
  sentencesOf,
  splitSentences,
  writtenSentences,
} from '../../../src/adapters/rules/segment.ts';
import { statedLimits } from '../../../src/adapters/rules/stated-limits.ts';
import { rankSentences } from '../../../src/adapters/rules/textrank.ts';
import { contentStems, nameWords, stem, wordsOf } from '../../../src/adapters/rules/words.ts';

const lighthouse = readFileSync(join(import.meta.dirname, 'fixtures/lighthouse.md'), 'utf8');

const line = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    '# Heading',
    'Setext',
    '---',
    '===',
    '```',
    '~~~',
    '| a | b |',
    '| - | - |',
    '> quoted',
    '- item',
    '  1. item',
    '    code',
    '<!-- note',
    '-->',
    'A sentence. And another!',
    '[x]: http://example.org',
    '* * *',
  ),
);
const markdown = fc.array(line, { maxLength: 14 }).map((lines) => lines.join('\n'));

describe('Markdown', () => {
  test('as blocks is the same text again', () => {
    fc.assert(
      fc.property(fc.oneof(markdown, fc.string()), (text) => {
        const again = blocksOf(text).map((block) => block.prefix + block.text + block.after);
        expect(again.join('')).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('is prose only where it is prose', () => {
    const kinds = blocksOf(lighthouse).map((block) => block.kind);
    expect(kinds.filter((kind) => kind === 'heading')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'item')).toHaveLength(3);
    // Front matter, a table and code.
    expect(kinds.filter((kind) => kind === 'verbatim')).toHaveLength(3);
  });

  test.each([
    ['**bold** and _soft_ and `code`', 'bold and soft and code'],
    ['a [link](http://x.org "t") and ![an image](x.png)', 'a link and'],
    ['snake_case_name and 2 * 3 * 4', 'snake_case_name and 2 * 3 * 4'],
    ['> one\n> two', 'one two'],
    ['A<br/>B &amp; C\\*', 'AB & C*'],
    ['see [^1] and <https://x.org>', 'see and https://x.org'],
    ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
  ])('%s reads as %s', (text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  test('takes blocks of HTML for no prose', () => {
    const text = '<p align="center">\n  <img src="x.png"> A badge.\n</p>\n\nIt is <b>prose</b>.';
    expect(sentencesOf([{ name: 'a', text }]).map((each) => each.text)).toEqual(['It is prose.']);
  });

  test('is what a page of HTML becomes', () => {
    const page = `<!DOCTYPE html><html><head><title>T</title><style>p{}</style></head><body>
      <h2>The sea</h2><p>It is deep,
      very deep.</p><ul><li>Salt &amp; water.</li></ul><script>alert(1)</script><!-- x</body>`;
    const text = withoutHtml(page);
    expect(text).toMatch(/^## The sea\n\nIt is deep, very deep\.\n\n- Salt &amp; water\.$/);
    expect(withoutHtml('a < b and <b>c</b>')).toBe('a < b and <b>c</b>');
  });

  test('loses what steers a terminal', () => {
    expect(withoutControls('\u001b[31mred\u001b[0m\u0007 \u202eback\r\nnext\ttab')).toBe(
      'red back\nnext\ttab',
    );
  });
});

describe('sentences', () => {
  test.each([
    ['Dr. Smith met Mrs. Jones. They talked.', 2],
    ['It is the U.S. Army. It is large.', 2],
    ['Apples, pears, etc. The rest is hay.', 2],
    ['See Fig. 3 on p. 12 for it.', 1],
    ['J. R. R. Tolkien wrote it.', 1],
    ['It rose by 3.5 percent. Good.', 2],
    ['Really? Yes! Fine.', 3],
    ['He said "Stop." Then he left.', 2],
    ['海は深い。塩辛い。', 2],
  ])('%s has %d', (text, count) => {
    const sentences = splitSentences(text);
    expect(sentences).toHaveLength(count);
    expect(sentences.join('')).toBe(text);
  });

  test('as they are written are the text again', () => {
    fc.assert(
      fc.property(fc.oneof(markdown, fc.string()), (text) => {
        expect(writtenSentences(text).join('')).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('know their document, their heading and their order', () => {
    const sentences = sentencesOf([
      { name: 'a', text: lighthouse },
      { name: 'b', text: 'Short note\nSecond line\n\nA whole sentence.' },
    ]);
    expect(sentences.map((sentence) => sentence.index)).toEqual(sentences.map((_, at) => at));
    expect(sentences.find((each) => each.text.startsWith('Mass alone'))).toMatchObject({
      document: 'a',
      heading: 'What engineers learned',
    });
    expect(sentences.filter((each) => each.document === 'b').map((each) => each.text)).toEqual([
      'Short note',
      'Second line',
      'A whole sentence.',
    ]);
    const all = sentences.map((each) => each.text).join('\n');
    expect(all).not.toMatch(/This is code|Rudyerd|Lights on the coast|\[the Trinity/);
    // A sentence that the source breaks over two lines is one line.
    expect(all).toContain('the most feared hazard of the English Channel');
  });

  test('of a very large document are taken from all of it, in a short time', () => {
    const paragraph = (at: number): string =>
      `Paragraph ${at} says something of its own. `.repeat(8);
    const text = Array.from({ length: 20_000 }, (_, at) => paragraph(at)).join('\n\n');
    const started = performance.now();
    const sentences = sentencesOf([{ name: 'large', text }]);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(sentences.length).toBeLessThan(60_000);
    expect(sentences.at(-1)!.text).toMatch(/Paragraph 199\d\d says/);
  });

  test('of one endless line end in a short time', () => {
    const started = performance.now();
    const sentences = sentencesOf([{ name: 'line', text: 'word '.repeat(400_000) }]);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(sentences.length).toBeGreaterThan(0);
  });
});

describe('words', () => {
  test('that carry meaning are joined with their other forms', () => {
    expect(contentStems('The towers of the tower were lit by the engines of an engine')).toEqual([
      'tower',
      'tower',
      'lit',
      'engin',
      'engin',
    ]);
    expect(stem('bus')).toBe('bus');
    expect(stem('glass')).toBe('glass');
    expect(stem("Smeaton's")).toBe('smeaton');
  });

  test('keep their apostrophes, dots and dashes inside', () => {
    expect(wordsOf("It's a well-known 3.5 m tower.")).toEqual([
      "It's",
      'a',
      'well-known',
      '3.5',
      'm',
      'tower',
    ]);
    expect(wordsOf('海は深い').length).toBeGreaterThan(1);
    expect(nameWords('sourceName_of-file2')).toEqual(['source', 'name', 'of', 'file2']);
  });
});

describe('TextRank', () => {
  test('prefers the sentence that shares most with the others', () => {
    const sentences = ['tower sea stone', 'tower sea', 'sea stone', 'bread butter'].map((each) =>
      each.split(' '),
    );
    const scores = rankSentences(sentences);
    expect(scores.indexOf(Math.max(...scores))).toBe(0);
    expect(scores[3]).toBeLessThan(scores[1]!);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1);
  });

  test('begins where it is told to', () => {
    const sentences = [['a'], ['a'], ['a']];
    const scores = rankSentences(sentences, { bias: [1, 1, 5] });
    expect(scores[2]).toBeGreaterThan(scores[0]!);
  });

  test('is bounded, deterministic and defined for nothing', () => {
    expect(rankSentences([])).toEqual([]);
    expect(rankSentences([[]])).toEqual([1]);
    const many = Array.from({ length: 3000 }, (_, at) => [`w${at % 97}`, `v${at % 31}`, 'all']);
    const started = performance.now();
    const scores = rankSentences(many);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(scores.filter((score) => score > 0)).toHaveLength(400);
    expect(rankSentences(many)).toEqual(scores);
  });
});

test('keyphrases stand in the text, best first, none within another', () => {
  const sentences = sentencesOf([{ name: 'a', text: lighthouse }]).map((each) => each.text);
  const phrases = keyphrasesOf(sentences, 8);
  expect(phrases).toHaveLength(8);
  const text = sentences.join(' ').toLowerCase();
  for (const phrase of phrases) expect(text).toContain(phrase.toLowerCase());
  expect(phrases.join(' ').toLowerCase()).toMatch(/tower/);
  expect(phrases.join(' ').toLowerCase()).toMatch(/lighthouse|light/);
  expect(keyphrasesOf([], 5)).toEqual([]);
});

test('readability grows with long words and long sentences', () => {
  const easy = readabilityOf(['The cat sat on the mat.', 'It was fat.']);
  const hard = readabilityOf([
    'Interdepartmental communication considerations necessitate organisational reconfiguration immediately.',
  ]);
  expect(easy.grade).toBeLessThan(2);
  expect(hard.grade).toBeGreaterThan(16);
  expect(easy).toMatchObject({ words: 9, sentences: 2, sentenceLength: 4.5 });
  expect(readabilityOf([])).toMatchObject({ words: 0, grade: 0 });
  expect(['sea', 'tower', 'lighthouse', 'communication'].map(syllablesOf)).toEqual([1, 2, 2, 5]);
});

describe('limits that are stated in words', () => {
  test.each([
    ['in under 2000 characters', { characters: 1999 }],
    ['at most 1,500 characters', { characters: 1500 }],
    ['no more than 100 words', { words: 100 }],
    ['The limit is 50 words', { words: 50 }],
    ['a 200-word summary', { words: 200 }],
    ['in three sentences', { sentences: 3 }],
    ['Give five points', { items: 5 }],
    ['the 3 key takeaways in up to 80 words', { items: 3, words: 80 }],
    ['it has 2300 characters; the limit is 2000 characters', { characters: 2000 }],
    ['Write about the sea', {}],
    ['in 1984 the words', {}],
  ])('%s', (text, limits) => {
    expect(statedLimits(text)).toEqual(limits);
  });

  test('a strict reading takes no number that merely stands there', () => {
    expect(statedLimits('it has 45 words', { isStrict: true })).toEqual({});
    expect(statedLimits('at most 45 words', { isStrict: true })).toEqual({ words: 45 });
  });
});

/**
 * Shortening: the least central sentences go until a text fits its limits.
 *
 * 1. The sentences that stay are in their order and unchanged; only a text of one sentence is cut within it.
 * 2. A heading without a text below goes too, and so does an item without words.
 */
import { unitsOf } from './draft.ts';
import { blocksOf, type Block } from './markdown.ts';
import { writtenSentences } from './segment.ts';
import type { StatedLimits } from './stated-limits.ts';
import { rankSentences } from './textrank.ts';
import { plainText } from './markdown.ts';
import { contentStems, wordsOf } from './words.ts';

const fits = (text: string, limits: StatedLimits): boolean => {
  if (limits.characters !== undefined && text.trim().length > limits.characters) return false;
  if (limits.words === undefined && limits.sentences === undefined) return true;
  const units = unitsOf(text);
  const words = units.reduce((sum, unit) => sum + wordsOf(unit.plain).length, 0);
  return words <= (limits.words ?? words) && units.length <= (limits.sentences ?? units.length);
};

/** Cuts at a word, with a mark that something is missing. */
export const cutAtWord = (text: string, charactersMax: number): string => {
  if (text.length <= charactersMax) return text;
  if (charactersMax <= 1) return '…'.slice(0, charactersMax);
  // Not through a pair of code units that are one character.
  const cut = text.slice(0, charactersMax - 1).replace(/[\ud800-\udbff]$/, '');
  const space = cut.search(/\s\S*$/);
  return `${(space > charactersMax / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
};

/** The text of the blocks, without the sentences whose places are dropped. */
const without = (blocks: readonly Block[], dropped: ReadonlySet<number>): string => {
  let place = 0;
  const kept = blocks.map((block) => {
    if (block.kind !== 'prose' && block.kind !== 'item') return block;
    const text = writtenSentences(block.text)
      .filter((written) => {
        if (wordsOf(plainText(written)).length === 0) return true;
        const isDropped = dropped.has(place);
        place += 1;
        return !isDropped;
      })
      .join('')
      .trimEnd();
    return { ...block, text };
  });
  const isGone = (block: Block): boolean =>
    (block.kind === 'prose' || block.kind === 'item') && block.text === '';
  return kept
    .filter((block, at) => {
      if (isGone(block)) return false;
      if (block.kind !== 'heading') return true;
      const next = kept.slice(at + 1).find((each) => !isGone(each));
      const stoodOver = blocks[at + 1];
      // Headings that had nothing below them in the first place stay.
      return (
        stoodOver === undefined ||
        stoodOver.kind === 'heading' ||
        (next !== undefined && next.kind !== 'heading')
      );
    })
    .map(({ prefix, text, after }) => prefix + text + after)
    .join('');
};

/** The text, made to fit. */
export const shorten = (text: string, limits: StatedLimits): string => {
  if (fits(text, limits)) return text;
  const blocks = blocksOf(text);
  const units = unitsOf(text);
  const scores = rankSentences(
    units.map((unit) => contentStems(unit.plain)),
    { bias: units.map((_, place) => (place === 0 ? 2 : 1)) },
  );
  const leastCentral = units
    .map((_, place) => place)
    .sort((a, b) => scores[a]! - scores[b]! || b - a)
    .slice(0, -1);
  const dropped = new Set<number>();
  // Halving finds the fewest that have to go: dropping one more never makes a text longer.
  let low = 0;
  let high = leastCentral.length;
  const tried = (count: number): string => without(blocks, new Set(leastCentral.slice(0, count)));
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(tried(middle), limits)) high = middle;
    else low = middle + 1;
  }
  for (const place of leastCentral.slice(0, low)) dropped.add(place);
  const shortened = without(blocks, dropped);
  return fits(shortened, limits) ? shortened : cutDown(shortened, limits);
};

/** What is one sentence, or not prose at all, is cut within. */
const cutDown = (text: string, limits: StatedLimits): string => {
  const words = limits.words;
  const [last = { plain: text.trim() }] = unitsOf(text);
  let kept = wordsOf(last.plain).length > 0 ? last.plain : text.trim();
  if (words !== undefined && wordsOf(kept).length > words) {
    kept = `${kept
      .split(/\s+/)
      .slice(0, words)
      .join(' ')
      .replace(/[,;:.]$/, '')}…`;
  }
  return limits.characters === undefined ? kept : cutAtWord(kept, limits.characters);
};

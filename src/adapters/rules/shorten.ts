/**
 * Shortening: the least central sentences go until a text fits its limits.
 *
 * 1. The sentences that stay are in their order and unchanged; only a text of one sentence is cut within it.
 * 2. A heading without a text below goes too, and so does an item without words.
 */
import { unitsOf } from './draft.ts';
import { blocksOf, plainText, type Block } from './markdown.ts';
import { writtenSentences } from './segment.ts';
import type { StatedLimits } from './stated-limits.ts';
import { rankSentences } from './textrank.ts';
import { contentStems, wordsOf } from './words.ts';

const isProse = (block: Block): boolean => block.kind === 'prose' || block.kind === 'item';

const partOf = (written: string): Part => {
  const plain = plainText(written);
  return { written, plain, words: wordsOf(plain).length };
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

interface Part {
  readonly written: string;
  readonly plain: string;
  readonly words: number;
}

/** A text taken apart once, to be put together in many ways. */
class Pieces {
  readonly #blocks: readonly Block[];
  readonly #parts: readonly (readonly Part[])[];
  /** The sentences with words, in their order. */
  readonly sentences: readonly Part[];

  constructor(text: string) {
    this.#blocks = blocksOf(text);
    this.#parts = this.#blocks.map((block) =>
      isProse(block) ? writtenSentences(block.text).map(partOf) : [],
    );
    this.sentences = this.#parts.flat().filter((part) => part.words > 0);
  }

  /** The text without the sentences that are dropped. */
  without(dropped: ReadonlySet<Part>): string {
    const kept = this.#blocks.map((block, at) => {
      if (!isProse(block)) return block;
      const parts = this.#parts[at]!.filter((part) => !dropped.has(part));
      const text = parts.map((part) => part.written).join('');
      return { ...block, text: text.trimEnd() };
    });
    const isGone = (block: Block): boolean => isProse(block) && block.text === '';
    // From the end, a heading sees what is left below it.
    let below: Block | undefined;
    const texts: string[] = [];
    for (const [at, block] of [...kept.entries()].toReversed()) {
      const stoodOver = this.#blocks[at + 1];
      // Headings that had nothing below them in the first place stay.
      const hadText = stoodOver !== undefined && stoodOver.kind !== 'heading';
      const isBare = below === undefined || below.kind === 'heading';
      if (isGone(block) || (block.kind === 'heading' && hadText && isBare)) continue;
      below = block;
      texts.push(block.prefix + block.text + block.after);
    }
    return texts.toReversed().join('');
  }

  fits(dropped: ReadonlySet<Part>, limits: StatedLimits): boolean {
    const kept = this.sentences.filter((part) => !dropped.has(part));
    const words = kept.reduce((sum, part) => sum + part.words, 0);
    return (
      kept.length <= (limits.sentences ?? kept.length) &&
      words <= (limits.words ?? words) &&
      (limits.characters === undefined || this.without(dropped).trim().length <= limits.characters)
    );
  }
}

/** The text, made to fit. */
export const shorten = (text: string, limits: StatedLimits): string => {
  const isShort = text.trim().length <= (limits.characters ?? text.length);
  if (isShort && limits.words === undefined && limits.sentences === undefined) return text;
  const pieces = new Pieces(text);
  if (isShort && pieces.fits(new Set(), limits)) return text;
  const { sentences } = pieces;
  const scores = rankSentences(
    sentences.map((part) => contentStems(part.plain)),
    { bias: sentences.map((_, place) => (place === 0 ? 2 : 1)) },
  );
  const leastCentral = sentences
    .map((_, place) => place)
    .sort((a, b) => scores[a]! - scores[b]! || b - a)
    .slice(0, -1)
    .map((place) => sentences[place]!);
  const dropping = (count: number): ReadonlySet<Part> => new Set(leastCentral.slice(0, count));
  // Halving finds the fewest that have to go: dropping one more never makes a text longer.
  let low = 0;
  let high = leastCentral.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces.fits(dropping(middle), limits)) high = middle;
    else low = middle + 1;
  }
  const shortened = pieces.without(dropping(low));
  return pieces.fits(dropping(low), limits) ? shortened : cutDown(shortened, limits);
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

/** How hard a text is to read: the Flesch-Kincaid grade, over English syllables that are estimated, not looked up. */
import { wordsOf } from './words.ts';

export interface Readability {
  readonly words: number;
  readonly sentences: number;
  /** School years that a reader needs; 0 for no text. */
  readonly grade: number;
  /** Words of the average sentence. */
  readonly sentenceLength: number;
}

/** Syllables of an English word, by its groups of vowels. */
export const syllablesOf = (word: string): number => {
  const letters = word.toLowerCase().replace(/[^a-z]/g, '');
  if (letters.length <= 3) return 1;
  const trimmed = letters.replace(/(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$/, '').replace(/^y/, '');
  return Math.max(1, trimmed.match(/[aeiouy]{1,2}/g)?.length ?? 1);
};

const round = (value: number): number => Math.round(value * 10) / 10;

/** Measures sentences. */
export const readabilityOf = (sentences: readonly string[]): Readability => {
  const words = sentences.flatMap(wordsOf);
  if (words.length === 0) return { words: 0, sentences: 0, grade: 0, sentenceLength: 0 };
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0);
  const sentenceLength = words.length / sentences.length;
  const grade = 0.39 * sentenceLength + 11.8 * (syllables / words.length) - 15.59;
  return {
    words: words.length,
    sentences: sentences.length,
    grade: Math.max(0, round(grade)),
    sentenceLength: round(sentenceLength),
  };
};

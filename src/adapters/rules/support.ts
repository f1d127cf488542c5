/**
 * What sources say, as far as rules can tell: the numbers that stand in them, and their words to the letter.
 *
 * It finds what cannot come from the sources. It does not find out whether something follows from them.
 */
import { plainText } from './markdown.ts';
import { sentencesOf, type NamedText } from './segment.ts';
import { wordsOf } from './words.ts';

export interface Sources {
  /** Whether a text stands in a source, word for word. */
  holds(text: string): boolean;
  hasNumber(number: string): boolean;
}

const quotationWordsMin = 4;

const numberPattern = /(?<![\p{L}\p{N}])\d[\d,.]*\d%?|(?<![\p{L}\p{N}])\d%/gu;
const quotationPattern = /“([^”]+)”|"([^"]+)"/g;

const normalNumber = (number: string): string =>
  number.replaceAll(',', '').replace(/%$/, '').replace(/\.0+$/, '');

const words = (text: string): string =>
  ` ${wordsOf(plainText(text))
    .map((word) => word.toLowerCase().replaceAll('’', "'"))
    .join(' ')} `;

/** Sentence by sentence, as an extraction reads them: a mark in one sentence has no say in another. */
const wordsOfSentences = (document: NamedText): string =>
  ` ${sentencesOf([document])
    .map((sentence) => words(sentence.text).trim())
    .join(' ')} `;

/** What the documents say, or undefined when there are none. */
export const sourcesOf = (documents: readonly NamedText[]): Sources | undefined => {
  if (documents.length === 0) return undefined;
  const texts = documents.flatMap((each) => [wordsOfSentences(each), words(each.text)]);
  // Numbers of one digit are in the set too, so that "7%" finds a 7.
  const numbers = new Set(
    documents.flatMap(({ text }) => (text.match(/\d[\d,.]*\d|\d/g) ?? []).map(normalNumber)),
  );
  return {
    holds: (text) => texts.some((each) => each.includes(words(text))),
    hasNumber: (number) => numbers.has(number),
  };
};

/** The claims of a sentence that no source holds, as they are named in a complaint. */
export const unsupportedIn = (sentence: string, sources: Sources): string[] => {
  const quotations = Array.from(
    sentence.matchAll(quotationPattern),
    ([, curly, straight]) => curly ?? straight ?? '',
  );
  return [
    ...(sentence.match(numberPattern) ?? [])
      .filter((number) => !sources.hasNumber(normalNumber(number)))
      .map((number) => `the number ${number}`),
    ...quotations
      .filter((text) => wordsOf(text).length >= quotationWordsMin && !sources.holds(text))
      .map((text) => `the quotation "${text}"`),
  ];
};

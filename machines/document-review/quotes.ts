/** Whether quotations stand in the files they name: a check that needs no model. */
import type { ModelDocument } from 'ecl';
import type { Point } from './schemas.ts';

/** Words alone: a quotation may drop the marks of Markdown, and the targets of links. */
const wordsOf = (text: string): string => {
  const bare = text
    .replace(/!?\[([^\][]*)\](?:\([^()\s]*(?:\s+"[^"]*")?\)|\[[^\][]*\])/g, '$1')
    .replace(/<\/?[A-Za-z][^<>]*>/g, '')
    .replace(/[`*_~]/g, '');
  return ` ${(bare.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ')} `;
};

/** Points whose quotation does not stand in their file, word for word. */
export const unfoundQuotes = (
  points: readonly Point[],
  documents: readonly ModelDocument[],
): Point[] => {
  const words = new Map(documents.map(({ name, text }) => [name, wordsOf(text)]));
  return points.filter(({ quote, source }) => words.get(source)?.includes(wordsOf(quote)) !== true);
};

/** How many of a criterion's longer words stand in a text, as `3 of 4`. */
export const wordsFound = (criterion: string, text: string): string => {
  const wanted = new Set(criterion.toLowerCase().match(/\p{L}{4,}/gu));
  const words = wordsOf(text);
  const found = [...wanted].filter((word) => words.includes(` ${word}`));
  return `${found.length} of ${wanted.size}`;
};

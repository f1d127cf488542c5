/**
 * A draft as it comes in a document or a prompt: Markdown, or the JSON of an earlier answer, whose free texts are then
 * the draft.
 *
 * 1. Quotations, names and the like are no free text: they are checked, never rewritten.
 * 2. The sentences that are counted here are the ones that a complaint names and that a rewrite drops.
 */
import { blocksOf, plainText } from './markdown.ts';
import { writtenSentences } from './segment.ts';
import { nameWords, wordsOf } from './words.ts';

export interface DraftText {
  /** Where it stands in a JSON draft (`points.0.text`), or ''. */
  readonly path: string;
  readonly text: string;
  readonly isQuotation: boolean;
}

/** A sentence of a draft. */
export interface Unit {
  /** As it is written, with the space after it. */
  readonly written: string;
  /** As a person reads it. */
  readonly plain: string;
  /** Counts the blocks of its text. */
  readonly block: number;
}

const quotationWords: ReadonlySet<string> = new Set([
  'quote',
  'quotes',
  'quotation',
  'quotations',
  'excerpt',
  'excerpts',
  'evidence',
]);

const labelWords: ReadonlySet<string> = new Set([
  'source',
  'sources',
  'document',
  'documents',
  'citation',
  'citations',
  'reference',
  'references',
  'file',
  'name',
  'id',
  'url',
  'link',
  'title',
  'heading',
  'headings',
  'section',
  'keyphrase',
  'keyphrases',
  'keyword',
  'keywords',
  'tag',
  'tags',
  'topic',
  'topics',
  'date',
  'kind',
  'type',
]);

const lastNameOf = (path: string): string =>
  path
    .split('.')
    .filter((part) => !/^\d+$/.test(part))
    .at(-1) ?? '';

const wordOf = (path: string): string => nameWords(lastNameOf(path)).at(-1) ?? '';

export const isQuotationPath = (path: string): boolean => quotationWords.has(wordOf(path));

const isFreeText = (path: string, text: string): boolean =>
  !labelWords.has(wordOf(path)) && wordsOf(text).length >= 4;

/** The value of a draft that is JSON, or undefined. */
export const draftValue = (draft: string): unknown => {
  const text = /^\s*```(?:json)?\s*\n([\s\S]*)\n```\s*$/.exec(draft)?.[1] ?? draft;
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const textsWithin = (value: unknown, path: string): DraftText[] => {
  if (typeof value === 'string') {
    const isQuotation = isQuotationPath(path);
    return isQuotation || isFreeText(path, value) ? [{ path, text: value, isQuotation }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    textsWithin(part, path === '' ? name : `${path}.${name}`),
  );
};

/** The texts of a draft that can be judged. */
export const draftTexts = (draft: string): DraftText[] => {
  const value = draftValue(draft);
  return value === undefined
    ? [{ path: '', text: draft, isQuotation: false }]
    : textsWithin(value, '');
};

/** The value with each free text and quotation replaced; an item of a list whose text becomes empty is left out. */
export const mapTexts = (
  value: unknown,
  rewrite: (text: string, path: string) => string,
  path = '',
): unknown => {
  const inner = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (typeof value === 'string') {
    return isQuotationPath(path) || isFreeText(path, value) ? rewrite(value, path) : value;
  }
  if (Array.isArray(value)) {
    const items = value.map((part: unknown, at) => ({
      before: part,
      after: mapTexts(part, rewrite, inner(String(at))),
    }));
    return items.filter(({ before, after }) => !isEmptied(before, after)).map(({ after }) => after);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, mapTexts(part, rewrite, inner(name))]),
  );
};

/** A text, or an object whose every free text, is gone. */
const isEmptied = (before: unknown, after: unknown): boolean => {
  if (typeof before === 'string') return before !== '' && after === '';
  if (typeof before !== 'object' || before === null || Array.isArray(before)) return false;
  const had = textsWithin(before, '').filter((each) => !each.isQuotation);
  const has = textsWithin(after, '').filter((each) => !each.isQuotation);
  return had.length > 0 && has.length === 0;
};

/** The group of texts that a text belongs to: all texts of one list are one group. */
export const groupOf = (path: string): string => path.replace(/(^|\.)\d+(?=\.|$)/g, '$1*');

/** The sentences of a text. */
export const unitsOf = (text: string): Unit[] =>
  blocksOf(text).flatMap((block, at) =>
    block.kind === 'prose' || block.kind === 'item'
      ? writtenSentences(block.text)
          .map((written) => ({ written, plain: plainText(written), block: at }))
          .filter(({ plain }) => wordsOf(plain).length > 0)
      : [],
  );

/** The form under which sentences are found to be the same, or '' for those too short to count. */
export const sameness = (sentence: string): string => {
  const words = wordsOf(sentence).map((word) => word.toLowerCase());
  return words.length >= 4 ? words.join(' ') : '';
};

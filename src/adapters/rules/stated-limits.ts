/**
 * Limits and counts that a person states in words: "in under 2000 characters", "three points", "a 100-word summary".
 *
 * 1. What is said strictly ("at most", "the limit is") wins over a number that merely stands before a unit.
 */

export interface StatedLimits {
  readonly characters?: number;
  readonly words?: number;
  readonly sentences?: number;
  /** How many points, quotes or other items are asked for. */
  readonly items?: number;
}

const numberWords: readonly string[] = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];

const number = String.raw`(\d{1,3}(?:,\d{3})+|\d{1,7}|${numberWords.slice(1).join('|')})`;
const unit = String.raw`[\s-]*(characters?|chars?|words?|sentences?)\b`;

const strictPattern = new RegExp(
  String.raw`\b(under|below|fewer\s+than|less\s+than|within|up\s+to|at\s+most|(?:no|not)\s+more\s+than|not\s+exceed|max(?:imum)?(?:\s+of)?|limit(?:ed)?(?:\s+(?:is|of|to))?:?)\s+${number}${unit}`,
  'gi',
);
const loosePattern = new RegExp(String.raw`(?<![\d.,])\b${number}${unit}`, 'gi');
const itemsPattern = new RegExp(
  String.raw`\b${number}\s+(?:[a-z]+\s+)?(?:points?|bullets?|items?|takeaways?|highlights?|findings?|keyphrases?|keywords?|quotes?|facts?|lessons?|reasons?|examples?)\b`,
  'i',
);

const valueOf = (text: string): number => {
  const word = numberWords.indexOf(text.toLowerCase());
  return word >= 0 ? word : Number(text.replaceAll(',', ''));
};

type Measure = 'characters' | 'words' | 'sentences';

const measureOf = (text: string): Measure =>
  text.toLowerCase().startsWith('char')
    ? 'characters'
    : text.toLowerCase().startsWith('word')
      ? 'words'
      : 'sentences';

/** The limits that a text states; the strictest of several. A strict reading takes no number that merely stands there. */
export const statedLimits = (
  text: string,
  options: { readonly isStrict?: boolean } = {},
): StatedLimits => {
  const limits: Partial<Record<Measure | 'items', number>> = {};
  const keep = (measure: Measure, value: number): void => {
    if (value >= 1) limits[measure] = Math.min(limits[measure] ?? value, value);
  };
  for (const [, how = '', value = '', measure = ''] of text.matchAll(strictPattern)) {
    const isBelow = /^(?:under|below|fewer|less)/i.test(how);
    keep(measureOf(measure), valueOf(value) - (isBelow ? 1 : 0));
  }
  if (options.isStrict === true) return limits;
  const strict = new Set(Object.keys(limits));
  for (const [, value = '', measure = ''] of text.matchAll(loosePattern)) {
    if (!strict.has(measureOf(measure))) keep(measureOf(measure), valueOf(value));
  }
  const items = itemsPattern.exec(text)?.[1];
  if (items !== undefined && valueOf(items) >= 1) limits.items = valueOf(items);
  return limits;
};

/** The stricter of two, measure by measure. */
export const strictest = (one: StatedLimits, other: StatedLimits): StatedLimits => {
  const limits: Partial<Record<keyof StatedLimits, number>> = { ...one };
  for (const [name, value] of Object.entries(other) as [keyof StatedLimits, number][]) {
    limits[name] = Math.min(limits[name] ?? value, value);
  }
  return limits;
};

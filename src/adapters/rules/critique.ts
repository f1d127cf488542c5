/**
 * Critique: what is wrong with a draft, where, and what to do about it.
 *
 * 1. Serious is only what the rewriting of this folder can mend without changing the meaning, and what claims more
 *    than the sources; so draft and review come to an end. Matters of taste are notes.
 * 2. Every complaint names its sentence, quotes it, says what is wrong and what to do.
 * 3. The same draft gets the same complaints.
 */
import { draftTexts, groupOf, sameness, unitsOf, type DraftText, type Unit } from './draft.ts';
import { plainText } from './markdown.ts';
import { readabilityOf } from './readability.ts';
import type { StatedLimits } from './stated-limits.ts';
import { unsupportedIn, type Sources } from './support.ts';
import { findDoubled, findWordy, isPassive } from './wordiness.ts';
import { wordsOf } from './words.ts';

export type ComplaintKind =
  | 'empty'
  | 'length'
  | 'doubled word'
  | 'wordiness'
  | 'repetition'
  | 'long sentence'
  | 'unsupported'
  | 'passive voice'
  | 'readability';

export interface Complaint {
  readonly kind: ComplaintKind;
  readonly isSerious: boolean;
  /** `Sentence 3`, or `points.0.text, sentence 1`; the whole text where it is no single sentence. */
  readonly where: string;
  /** The beginning of the sentence. */
  readonly quote: string;
  readonly problem: string;
  readonly suggestion: string;
}

export interface CritiqueContext {
  readonly limits: StatedLimits;
  readonly sources: Sources | undefined;
}

/** Beyond this a sentence is long. */
export const sentenceWordsMax = 40;
const gradeMax = 16;
const passiveShareMax = 0.4;

/** Double quotation marks would end the quotation early for whoever reads the feedback, a rewrite included. */
const quoteOf = (sentence: string): string => {
  const text = sentence.replace(/["“”]/g, "'");
  if (text.length <= 60) return text;
  const cut = text.slice(0, 57);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), 30)).trimEnd()}…`;
};

/** Where a long sentence can become two without a word being changed: both halves stand alone. */
export const splitPlace = (sentence: string): number | undefined => {
  for (const match of sentence.matchAll(/;\s+(?!(?:and|or|but|nor)\b)/gi)) {
    const before = wordsOf(sentence.slice(0, match.index)).length;
    const after = wordsOf(sentence.slice(match.index)).length;
    if (before >= 6 && after >= 6) return match.index;
  }
  return undefined;
};

type Finding = Pick<Complaint, 'kind' | 'isSerious' | 'problem' | 'suggestion'>;

const aboutWords = (unit: Unit): Finding[] => [
  ...findDoubled(unit.written).map(({ word }): Finding => ({
    kind: 'doubled word',
    isSerious: true,
    problem: `"${word}" stands twice in a row`,
    suggestion: 'Keep one of the two.',
  })),
  ...findWordy(unit.written).map(({ phrase, replacement }): Finding => ({
    kind: 'wordiness',
    isSerious: true,
    problem: `"${phrase.replace(/\s+/g, ' ')}" says little in many words`,
    suggestion: replacement === '' ? 'Leave it out.' : `Write "${replacement}".`,
  })),
];

const aboutLength = (unit: Unit): Finding[] => {
  const words = wordsOf(unit.plain).length;
  if (words <= sentenceWordsMax) return [];
  const canSplit = splitPlace(unit.written) !== undefined;
  return [
    {
      kind: 'long sentence',
      isSerious: canSplit,
      problem: `it runs to ${words} words`,
      suggestion: canSplit ? 'Make two sentences of it, at the semicolon.' : 'Make two of it.',
    },
  ];
};

const aboutSupport = (unit: Unit, sources: Sources | undefined): Finding[] =>
  sources === undefined
    ? []
    : unsupportedIn(unit.plain, sources).map((claim): Finding => ({
        kind: 'unsupported',
        isSerious: true,
        problem: `${claim} stands in no source`,
        suggestion: 'Drop the sentence, or correct it by a source.',
      }));

const whereIs = (path: string, place?: number): string => {
  if (place === undefined) return path === '' ? 'The text' : path;
  return path === '' ? `Sentence ${place + 1}` : `${path}, sentence ${place + 1}`;
};

const counted = (count: number, things: string): string =>
  `${count} ${count === 1 ? things.slice(0, -1) : things}`;

/** Complaints about a text as a whole. */
const aboutText = (
  { path, text }: DraftText,
  units: readonly Unit[],
  limits: StatedLimits,
): Complaint[] => {
  const sentences = units.map((unit) => unit.plain);
  const { words, grade } = readabilityOf(sentences);
  const complaint = (finding: Finding): Complaint => ({
    ...finding,
    where: whereIs(path),
    quote: '',
  });
  const complaints: Complaint[] = [];
  const measures = { characters: text.trim().length, words, sentences: units.length };
  for (const measure of ['characters', 'words', 'sentences'] as const) {
    const limit = limits[measure];
    if (limit === undefined || measures[measure] <= limit) continue;
    complaints.push(
      complaint({
        kind: 'length',
        isSerious: true,
        problem: `it has ${counted(measures[measure], measure)}; the limit is ${counted(limit, measure)}`,
        suggestion: 'Drop what is least central.',
      }),
    );
  }
  const passive = sentences.filter(isPassive).length;
  if (units.length >= 5 && passive / units.length > passiveShareMax) {
    complaints.push(
      complaint({
        kind: 'passive voice',
        isSerious: false,
        problem: `${passive} of ${units.length} sentences do not say who acts`,
        suggestion: 'Name the one who acts.',
      }),
    );
  }
  if (words >= 60 && grade > gradeMax) {
    complaints.push(
      complaint({
        kind: 'readability',
        isSerious: false,
        problem: `it asks for ${grade} years of school (Flesch-Kincaid)`,
        suggestion: 'Use shorter sentences and shorter words.',
      }),
    );
  }
  return complaints;
};

/** Complaints about each sentence; `seen` are the sentences that stood before in the same group of texts. */
const aboutSentences = (
  { path }: DraftText,
  units: readonly Unit[],
  context: { readonly sources: Sources | undefined; readonly seen: Map<string, string> },
): Complaint[] => {
  const complaints: Complaint[] = [];
  for (const [place, unit] of units.entries()) {
    const where = whereIs(path, place);
    const same = sameness(unit.plain);
    const before = same === '' ? undefined : context.seen.get(same);
    if (same !== '' && before === undefined) context.seen.set(same, where);
    const findings: Finding[] =
      before === undefined
        ? [...aboutWords(unit), ...aboutLength(unit), ...aboutSupport(unit, context.sources)]
        : [
            {
              kind: 'repetition',
              isSerious: true,
              problem: `it repeats ${before.replace(/^Sentence/, 'sentence')}`,
              suggestion: 'Drop it.',
            },
          ];
    const quote = quoteOf(unit.plain);
    complaints.push(...findings.map((finding) => ({ ...finding, where, quote })));
  }
  return complaints;
};

const aboutQuotation = ({ path, text }: DraftText, sources: Sources | undefined): Complaint[] =>
  sources === undefined || sources.holds(text)
    ? []
    : [
        {
          kind: 'unsupported',
          isSerious: true,
          where: path,
          quote: quoteOf(plainText(text)),
          problem: 'the quotation stands in no source',
          suggestion: 'Quote a source to the letter, or leave it out.',
        },
      ];

/** What is wrong with a draft, in the order of the draft. */
export const critiqueDraft = (draft: string, context: CritiqueContext): Complaint[] => {
  const texts = draftTexts(draft);
  const isEmpty = texts.every(({ text }) => wordsOf(plainText(text)).length === 0);
  if (isEmpty) {
    return [
      {
        kind: 'empty',
        isSerious: true,
        where: 'The text',
        quote: '',
        problem: 'it is empty',
        suggestion: 'Write it.',
      },
    ];
  }
  const free = texts.filter((each) => !each.isQuotation);
  const longest = free.reduce((most, { text }) => Math.max(most, text.length), 0);
  const seen = new Map<string, Map<string, string>>();
  return texts.flatMap((each) => {
    if (each.isQuotation) return aboutQuotation(each, context.sources);
    const group = groupOf(each.path);
    const seenHere = seen.get(group) ?? new Map<string, string>();
    seen.set(group, seenHere);
    const units = unitsOf(each.text);
    // A limit is on the text that was asked for; in an object that is the longest.
    const limits = each.text.length === longest ? context.limits : {};
    return [
      ...aboutText(each, units, limits),
      ...aboutSentences(each, units, { sources: context.sources, seen: seenHere }),
    ];
  });
};

const listedMax = 12;

const lineOf = ({ where, quote, problem, suggestion }: Complaint): string =>
  `${where}${quote === '' ? '' : ` ("${quote}")`}: ${problem}. ${suggestion}`;

/** Complaints as a person reads them. */
export const feedbackOf = (complaints: readonly Complaint[]): string => {
  const serious = complaints.filter((complaint) => complaint.isSerious);
  const notes = complaints.filter((complaint) => !complaint.isSerious);
  const lines = serious.slice(0, listedMax).map((each, at) => `${at + 1}. ${lineOf(each)}`);
  if (serious.length > listedMax) {
    lines.push(`${serious.length - listedMax} more places are of the same kinds.`);
  }
  if (serious.length === 0) lines.push('Nothing serious was found.');
  if (notes.length > 0) {
    lines.push('Notes:', ...notes.slice(0, 5).map((each) => `- ${lineOf(each)}`));
  }
  return lines.join('\n');
};

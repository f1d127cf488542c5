/**
 * Extraction: the sentences of documents that say most, as they stand there.
 *
 * 1. A chosen sentence is a sentence of a source; chosen ones keep the order of the sources.
 * 2. What the instructions ask about weighs more, what opens a document or a paragraph a little.
 * 3. Two sentences that say nearly the same are not both chosen, and no document is left out for want of rank.
 */
import { keyphrasesOf } from './keyphrases.ts';
import { headingsOf, sentencesOf, type NamedText, type Sentence } from './segment.ts';
import type { StatedLimits } from './stated-limits.ts';
import { rankSentences } from './textrank.ts';
import { contentStems, stem, wordsOf } from './words.ts';

export interface Extraction {
  readonly documents: readonly NamedText[];
  /** Best first. */
  readonly ranked: readonly Sentence[];
  /** The summary's sentences, in the order of the sources. */
  readonly chosen: readonly Sentence[];
  readonly keyphrases: readonly string[];
  readonly headings: readonly string[];
  /** The first heading of the first level, or the first heading. */
  readonly title: string | undefined;
}

/** Words of instructions that say what to do and not what about. */
const taskWords = new Set(
  `summarise summarize summary write writing list extract extraction document text point sentence word character
  brief briefing report give return produce answer json key keyphrase main important short concise paragraph follow
  following attach source please critique review revise draft quote title describe description create make state
  provide identify read reader give output input field schema format name page item bullet section material content
  maximum minimum limit long length number plain english language style tone clear careful faithful exact`
    .split(/\s+/)
    .map(stem),
);

const keyphrasesMax = 20;
const nearlySame = 0.6;

/** The words that instructions ask about. */
const askedAbout = (instructions: string): ReadonlySet<string> =>
  new Set(contentStems(instructions).filter((word) => !taskWords.has(word)));

/** How well a sentence stands alone: fragments, questions and dangling pronouns do not. */
const formOf = (text: string): number => {
  const words = wordsOf(text).length;
  let form = 1;
  if (words < 5) form *= 0.3;
  if (words > 45) form *= 0.6;
  if (!/[.!?…。！？]["”’)]*$/.test(text)) form *= 0.6;
  if (/\?["”’)]*$/.test(text)) form *= 0.5;
  if (/https?:\/\//.test(text)) form *= 0.5;
  // Code and lists of names in the disguise of a sentence.
  if ((text.match(/[{}|=<>[\]\\/_;]/g)?.length ?? 0) > 0.02 * text.length + 1) form *= 0.2;
  if (
    /^(?:But|And|Or|So|However|Therefore|Thus|Hence|This|That|These|Those|It|He|She|They|Such|Also|Then)\b/.test(
      text,
    )
  ) {
    form *= 0.75;
  }
  return form;
};

/** How much of what was asked about stands in each sentence, its heading included. */
const relevanceOf = (
  sentences: readonly Sentence[],
  stems: readonly (readonly string[])[],
  asked: ReadonlySet<string>,
): number[] =>
  sentences.map((sentence, place) => {
    const own = new Set(stems[place]);
    const heading = new Set(contentStems(sentence.heading));
    let relevance = 1;
    for (const word of asked) relevance += own.has(word) ? 2 : heading.has(word) ? 1 : 0;
    return relevance;
  });

/** Where a reader begins: at openings, and at what was asked about. */
const biasOf = (sentences: readonly Sentence[], relevance: readonly number[]): number[] =>
  sentences.map((sentence, place) => {
    const before = sentences[place - 1];
    const opensDocument = before?.document !== sentence.document;
    const opensBlock = opensDocument || before.block !== sentence.block;
    return (opensDocument ? 1.6 : opensBlock ? 1.25 : 1) * relevance[place]!;
  });

const overlap = (one: ReadonlySet<string>, other: ReadonlySet<string>): number => {
  if (one.size === 0 || other.size === 0) return 0;
  let shared = 0;
  for (const word of one) if (other.has(word)) shared += 1;
  return shared / Math.min(one.size, other.size);
};

/** Picks from the best down, without near-repetitions, first one of each document where there is room for all. */
export const pickSentences = (ranked: readonly Sentence[], count: number): Sentence[] => {
  const picked: { sentence: Sentence; stems: ReadonlySet<string> }[] = [];
  const pick = (sentence: Sentence): void => {
    const stems = new Set(contentStems(sentence.text));
    if (picked.length >= count || picked.some((each) => each.sentence === sentence)) return;
    if (picked.some((each) => overlap(each.stems, stems) > nearlySame)) return;
    picked.push({ sentence, stems });
  };
  const firsts = new Map<string, Sentence>();
  for (const sentence of ranked) {
    if (!firsts.has(sentence.document)) firsts.set(sentence.document, sentence);
  }
  if (firsts.size <= count) for (const sentence of firsts.values()) pick(sentence);
  for (const sentence of ranked) pick(sentence);
  return picked.map((each) => each.sentence).sort((a, b) => a.index - b.index);
};

/** The words of sentences that fit a limit, whole sentences only; the best of them when not all fit. */
const withinLimits = (
  chosen: readonly Sentence[],
  ranked: readonly Sentence[],
  limits: StatedLimits,
): Sentence[] => {
  const isFitting = (sentences: readonly Sentence[]): boolean => {
    const text = sentences.map((sentence) => sentence.text).join(' ');
    return (
      text.length <= (limits.characters ?? text.length) &&
      (limits.words === undefined || wordsOf(text).length <= limits.words)
    );
  };
  if (isFitting(chosen)) return [...chosen];
  const rank = new Map(ranked.map((sentence, place) => [sentence, place]));
  const kept: Sentence[] = [];
  for (const sentence of [...chosen].sort((a, b) => rank.get(a)! - rank.get(b)!)) {
    if (isFitting([...kept, sentence])) kept.push(sentence);
  }
  return kept.sort((a, b) => a.index - b.index);
};

const countFor = (sentences: number, limits: StatedLimits): number => {
  const usual = Math.max(1, Math.min(5, Math.ceil(sentences * 0.3)));
  return limits.sentences ?? usual;
};

/** Reads documents for what the instructions ask. */
export const extract = (
  documents: readonly NamedText[],
  { instructions, limits }: { readonly instructions: string; readonly limits: StatedLimits },
): Extraction => {
  const sentences = sentencesOf(documents);
  const stems = sentences.map((sentence) => contentStems(sentence.text));
  const relevance = relevanceOf(sentences, stems, askedAbout(instructions));
  const scores = rankSentences(stems, { bias: biasOf(sentences, relevance) });
  const worth = sentences.map(
    (sentence, place) => scores[place]! * formOf(sentence.text) * relevance[place]!,
  );
  const ranked = sentences
    .map((_, place) => place)
    .sort((a, b) => worth[b]! - worth[a]! || a - b)
    .map((place) => sentences[place]!);
  const headings = headingsOf(documents);
  const title = headings.find((heading) => heading.isTitle) ?? headings[0];
  const chosen = pickSentences(ranked, countFor(sentences.length, limits));
  return {
    documents,
    ranked,
    chosen: withinLimits(chosen, ranked, limits),
    keyphrases: keyphrasesOf(
      sentences.slice(0, 5000).map((sentence) => sentence.text),
      keyphrasesMax,
    ),
    headings: headings.map((heading) => heading.text),
    title: title?.text,
  };
};

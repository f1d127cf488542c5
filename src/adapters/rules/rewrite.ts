/**
 * Rewriting: changes that are safe without understanding. Wordy phrases become short ones, doubled words single ones,
 * long sentences two at their semicolon; repetitions and unsupported claims go; what is too long loses its least
 * central sentences.
 *
 * 1. No word is made up: what is not replaced by the table comes from the draft, the feedback or a source.
 * 2. Headings, code, tables and quotations stay as they are.
 * 3. What was rewritten is not complained about again by the critique of this folder, where rules can mend it.
 */
import { splitPlace, sentenceWordsMax } from './critique.ts';
import { draftValue, groupOf, isQuotationPath, mapTexts, sameness, unitsOf } from './draft.ts';
import { blocksOf, plainText, type Block } from './markdown.ts';
import { wishesOf, type Wishes } from './wishes.ts';
import { writtenSentences, type NamedText } from './segment.ts';
import { shorten } from './shorten.ts';
import { strictest, type StatedLimits } from './stated-limits.ts';
import { unsupportedIn, type Sources } from './support.ts';
import { findDoubled, findWordy } from './wordiness.ts';
import { contentStems, wordsOf } from './words.ts';

export interface RewriteContext {
  readonly feedback: string;
  readonly limits: StatedLimits;
  readonly sources: Sources | undefined;
  /** Where sentences come from when the feedback misses something. */
  readonly documents: readonly NamedText[];
}

/** Passes over a sentence; one replacement may make way for another. */
const passesMax = 5;

const capitalised = (text: string): string =>
  text.replace(/^([^\p{L}\p{N}]*)(\p{Ll})/u, (_, marks: string, letter: string) => {
    return marks + letter.toUpperCase();
  });

const articleFor = (word: string): 'a' | 'an' =>
  /^(?:hour|honest|honou?r|heir)/i.test(word) ||
  (/^[aeiou]/i.test(word) && !/^(?:uni|use|usu|util|eu|one\b|once\b)/i.test(word))
    ? 'an'
    : 'a';

/** Puts a replacement in, with the spaces, the capital and the article that fit it. */
const replaceAt = (
  text: string,
  { at, length, replacement }: { at: number; length: number; replacement: string },
): string => {
  const before = text.slice(0, at);
  const isCapital = /^\p{Lu}/u.test(text.slice(at, at + length));
  const middle = isCapital ? capitalised(replacement) : replacement;
  let after = text.slice(at + length);
  if (replacement === '') {
    after = after.replace(/^[ \t]*\n?[ \t]*/, '');
    if (isCapital) after = capitalised(after);
  }
  const next = wordsOf(middle + after)[0] ?? '';
  const start = before.replace(/\b([Aa])n?(\s+)$/, (_, letter: string, space: string) => {
    return letter + articleFor(next).slice(1) + space;
  });
  return start + middle + after;
};

/** A sentence without doubled words and wordy phrases. */
export const mendSentence = (written: string): string => {
  let text = written;
  for (let pass = 0; pass < passesMax; pass += 1) {
    const before = text;
    // From the end, so that the places before stay what they are.
    for (const { at, length } of findDoubled(text).toReversed()) {
      text = text.slice(0, at) + text.slice(at + length);
    }
    for (const wordy of findWordy(text).toReversed()) text = replaceAt(text, wordy);
    if (text === before) return text;
  }
  return text;
};

const splitLong = (written: string): string => {
  if (wordsOf(plainText(written)).length <= sentenceWordsMax) return written;
  const place = splitPlace(written);
  if (place === undefined) return written;
  const rest = written.slice(place + 1);
  const space = /^\s*/.exec(rest)?.[0] ?? ' ';
  return `${written.slice(0, place)}.${space}${splitLong(capitalised(rest.trimStart()))}`;
};

interface Plan {
  readonly wishes: Wishes;
  readonly sources: Sources | undefined;
  /** Sentences that stood before in the same group of texts. */
  readonly seen: Set<string>;
  place: number;
}

const isDropped = (plain: string, plan: Plan): boolean => {
  const same = sameness(plain);
  if (same !== '' && plan.seen.has(same)) return true;
  if (plan.wishes.droppedSentences.has(plan.place)) return true;
  if (plan.wishes.droppedClaims.some((claim) => plain.includes(claim))) return true;
  return plan.sources !== undefined && unsupportedIn(plain, plan.sources).length > 0;
};

const isSeen = (sentence: string, plan: Plan): boolean => {
  const same = sameness(plainText(sentence));
  if (same === '') return false;
  const isRepeated = plan.seen.has(same);
  plan.seen.add(same);
  return isRepeated;
};

const rewriteSentence = (written: string, plan: Plan): string => {
  const plain = plainText(written);
  if (wordsOf(plain).length === 0) return written;
  plan.place += 1;
  if (isDropped(plain, plan)) return '';
  let text = written;
  for (const [from, to] of plan.wishes.replacements) text = text.replaceAll(from, to);
  if (/^[^\p{L}\p{N}]*\p{Lu}/u.test(written)) text = capitalised(text);
  text = splitLong(mendSentence(text));
  // Two sentences may become the same by what was mended in them.
  const halves = writtenSentences(text).filter((half) => !isSeen(half, plan));
  const same = sameness(plain);
  if (same !== '') plan.seen.add(same);
  return halves.join('');
};

const rewriteBlock = (block: Block, plan: Plan): string => {
  const { kind, prefix, text, after } = block;
  if (kind !== 'prose' && kind !== 'item') return prefix + text + after;
  const rewritten = writtenSentences(text)
    .map((written) => rewriteSentence(written, plan))
    .join('')
    .trimEnd();
  return rewritten === '' && text !== '' ? '' : prefix + rewritten + after;
};

/** Sentences of the documents about what the feedback misses. */
const additionsFor = (text: string, context: RewriteContext, wishes: Wishes): string[] => {
  const present = new Set(unitsOf(text).map((unit) => sameness(unit.plain)));
  const candidates = context.documents.flatMap((document) => unitsOf(document.text));
  return wishes.missing.flatMap((topic) => {
    const wanted = new Set(contentStems(topic));
    const scored = candidates
      .filter(({ plain }) => sameness(plain) !== '' && !present.has(sameness(plain)))
      .map(({ plain }) => {
        const hits = new Set(contentStems(plain).filter((word) => wanted.has(word)));
        return { plain, hits: hits.size };
      });
    const best = scored.reduce((max, each) => Math.max(max, each.hits), 0);
    const chosen = best === 0 ? undefined : scored.find((each) => each.hits === best);
    if (chosen === undefined) return [];
    present.add(sameness(chosen.plain));
    return [mendSentence(chosen.plain)];
  });
};

/** Rewrites one text. */
const rewriteText = (
  text: string,
  context: RewriteContext,
  { wishes, seen, limits }: { wishes: Wishes; seen: Set<string>; limits: StatedLimits },
): string => {
  const plan: Plan = { wishes, sources: context.sources, seen, place: 0 };
  const rewritten = blocksOf(text)
    .map((block) => rewriteBlock(block, plan))
    .join('');
  return shorten(rewritten, limits);
};

const withAdditions = (text: string, additions: readonly string[]): string =>
  additions.length === 0 ? text : `${text.trimEnd()}\n\n${additions.join(' ')}\n`;

/** The sentence of a source that was probably meant by a quotation that stands in none. */
const nearestIn = (documents: readonly NamedText[], quotation: string): string => {
  const wanted = new Set(contentStems(quotation));
  let nearest = quotation;
  let most = 0;
  for (const { plain } of documents.flatMap(({ text }) => unitsOf(text))) {
    const hits = new Set(contentStems(plain).filter((word) => wanted.has(word))).size;
    if (hits > most) [nearest, most] = [plain, hits];
  }
  return nearest;
};

const longestText = (value: unknown): string => {
  let longest = '';
  mapTexts(value, (text, path) => {
    if (!isQuotationPath(path) && text.length > longest.length) longest = text;
    return text;
  });
  return longest;
};

/** Rewrites a draft; of a draft that is JSON the texts, and the rest stays. */
export const rewriteDraft = (
  draft: string,
  context: RewriteContext,
): { readonly text: string; readonly value?: unknown } => {
  const { sources } = context;
  const value = draftValue(draft);
  const main = value === undefined ? draft : longestText(value);
  const wishes = wishesOf(context.feedback, main);
  const limits = strictest(context.limits, wishes.limits);
  const additions = additionsFor(draft, context, wishes);
  if (value === undefined) {
    const text = withAdditions(draft, additions);
    return { text: rewriteText(text, context, { wishes, seen: new Set(), limits }) };
  }
  const seen = new Map<string, Set<string>>();
  const asQuoted = (text: string): string =>
    sources === undefined || sources.holds(text) ? text : nearestIn(context.documents, text);
  const rewriteOne = (text: string, path: string): string => {
    if (isQuotationPath(path)) return asQuoted(text);
    const group = groupOf(path);
    const seenHere = seen.get(group) ?? new Set<string>();
    seen.set(group, seenHere);
    const isMain = text === main;
    const whole = isMain ? withAdditions(text, additions).trimEnd() : text;
    return rewriteText(whole, context, { wishes, seen: seenHere, limits: isMain ? limits : {} });
  };
  const rewritten = mapTexts(value, rewriteOne);
  return { text: longestText(rewritten), value: rewritten };
};

/**
 * Which part of the content belongs in a field, by the words of the field's name and description.
 *
 * 1. It chooses among what there is; whether a schema accepts it is for others to see.
 * 2. A field whose name says nothing gets the answer's text.
 */
import type { Complaint } from './critique.ts';
import type { Content } from './content.ts';
import { pickSentences } from './extract.ts';
import { plainText } from './markdown.ts';
import type { NamedText, Sentence } from './segment.ts';
import { contentStems, stem } from './words.ts';

/** The item of a list that a field belongs to. */
export type Scope =
  | { readonly kind: 'sentence'; readonly sentence: Sentence; readonly place: number }
  | { readonly kind: 'complaint'; readonly complaint: Complaint; readonly place: number }
  | { readonly kind: 'document'; readonly document: NamedText; readonly place: number }
  | { readonly kind: 'phrase'; readonly phrase: string; readonly place: number };

export interface Field {
  /** Words of the name: `sourceName` is `source`, `name`. */
  readonly words: readonly string[];
  readonly description: string;
  readonly scope: Scope | undefined;
}

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

const mainWords = setOf(
  'text summary abstract body content draft answer result output overview brief briefing report paragraph message markdown response value',
);
const titleWords = setOf('title headline subject');
const sourceWords = setOf(
  'source sources document documents file files filename reference references citation citations',
);
const quoteWords = setOf('quote quotes quotation quotations excerpt excerpts evidence verbatim');
const phraseWords = setOf(
  'keyphrase keyphrases keyword keywords phrase phrases tag tags topic topics term terms concept concepts theme themes',
);
const headingWords = setOf('heading headings section sections outline chapter chapters');
const feedbackWords = setOf(
  'feedback critique review comment comments reason reasons rationale explanation note notes assessment justification text summary message',
);
const fixWords = setOf(
  'suggestion fix recommendation action change replacement advice proposal solution remedy',
);
const placeWords = setOf('where location place position path');
const kindWords = setOf('kind type category label code rule name title');

const has = (field: Field, words: ReadonlySet<string>): boolean =>
  field.words.some((word) => words.has(word));

/** The value of a line `Label: value` of the material. */
export const labelled = (field: Field, content: Content): string | undefined => {
  if (field.words.length === 0 || has(field, mainWords)) return undefined;
  const wanted = field.words.join(' ');
  for (const line of content.material.split('\n', 2000)) {
    const found = /^[\s>*#_-]*([\p{L}][\p{L}\p{N} _/-]{0,40}?)[*_]*\s*:[*_]*\s+(\S.*)$/u.exec(
      line.slice(0, 500),
    );
    const label = found?.[1]?.toLowerCase().replace(/[\s_/-]+/g, ' ');
    if (found !== null && label === wanted) return plainText(found[2]!);
  }
  return undefined;
};

/** The best sentence that shares words with the field. */
export const relatedSentence = (field: Field, content: Content): Sentence | undefined => {
  const wanted = new Set([...field.words.map(stem), ...contentStems(field.description)]);
  let best: Sentence | undefined;
  let most = 0;
  for (const sentence of content.extraction.ranked.slice(0, 2000)) {
    const hits = new Set(contentStems(sentence.text).filter((word) => wanted.has(word))).size;
    if (hits > most) [best, most] = [sentence, hits];
  }
  return best;
};

const capital = (text: string): string =>
  text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());

const titleOf = (content: Content): string => {
  const { title, keyphrases, documents, chosen } = content.extraction;
  if (title !== undefined && documents.length === 1) return title;
  const [first, second] = keyphrases;
  if (first !== undefined) return capital(second === undefined ? first : `${first} and ${second}`);
  return title ?? chosen[0]?.text ?? content.main;
};

const ofSentence = (field: Field, sentence: Sentence, content: Content): string[] => {
  if (has(field, quoteWords)) return [sentence.text];
  if (has(field, sourceWords)) return [sentence.document];
  if (has(field, headingWords)) return [sentence.heading || titleOf(content)];
  if (
    has(field, phraseWords) ||
    has(field, titleWords) ||
    field.words.at(-1) === 'name' ||
    field.words.at(-1) === 'label'
  ) {
    const held = content.extraction.keyphrases.find((phrase) =>
      sentence.text.toLowerCase().includes(phrase.toLowerCase()),
    );
    return [capital(held ?? (sentence.heading || sentence.text))];
  }
  return [sentence.text];
};

const ofComplaint = (field: Field, complaint: Complaint): string[] => {
  const { kind, where, quote, problem, suggestion } = complaint;
  if (
    has(field, quoteWords) ||
    field.words.at(-1) === 'sentence' ||
    has(field, setOf('original'))
  ) {
    return [quote || where];
  }
  if (has(field, fixWords)) return [suggestion];
  if (has(field, placeWords)) return [where];
  if (has(field, kindWords)) return [kind];
  if (has(field, setOf('severity priority level importance'))) {
    return [complaint.isSerious ? 'serious' : 'note'];
  }
  if (has(field, setOf('problem issue finding'))) return [`${where}: ${problem}.`];
  return [`${where}: ${problem}. ${suggestion}`];
};

const ofDocument = (field: Field, document: NamedText, content: Content): string[] => {
  const isName =
    has(field, sourceWords) ||
    ['name', 'id', 'title', 'path', 'label'].includes(field.words.at(-1) ?? '');
  if (isName && !has(field, mainWords)) return [document.name];
  const own = content.extraction.ranked.filter((each) => each.document === document.name);
  if (has(field, quoteWords)) return [own[0]?.text ?? document.name];
  const best = pickSentences(own, 3).map((sentence) => sentence.text);
  return [best.join(' ') || document.name];
};

const ofPhrase = (field: Field, phrase: string, content: Content): string[] => {
  if (
    has(field, setOf('definition meaning context sentence example quote description explanation'))
  ) {
    const found = content.extraction.ranked.find((sentence) =>
      sentence.text.toLowerCase().includes(phrase.toLowerCase()),
    );
    return [found?.text ?? phrase];
  }
  return [phrase];
};

const ofCritique = (field: Field, content: Content): string[] => {
  if (has(field, feedbackWords) || field.words.length === 0) return [content.main];
  const first = content.complaints[0];
  if (has(field, titleWords)) return ['Critique of the draft'];
  if (has(field, phraseWords)) return [content.extraction.keyphrases[0] ?? ''];
  if (first !== undefined && (has(field, quoteWords) || has(field, fixWords))) {
    return ofComplaint(field, first);
  }
  return [content.main];
};

const ofWhole = (field: Field, content: Content): string[] => {
  const { extraction, main } = content;
  const sentence = extraction.ranked[0];
  if (has(field, titleWords)) {
    // With several documents a title of one of them is not the title of the answer.
    const stated = extraction.documents.length === 1 ? labelled(field, content) : undefined;
    return [stated ?? titleOf(content)];
  }
  if (has(field, quoteWords)) return [sentence?.text ?? main];
  if (has(field, mainWords) || field.words.length === 0) return [main];
  const stated = labelled(field, content);
  if (stated !== undefined) return [stated];
  if (has(field, sourceWords)) return [extraction.documents[0]?.name ?? 'prompt'];
  if (has(field, headingWords)) return [extraction.headings[0] ?? titleOf(content)];
  if (has(field, phraseWords)) return [extraction.keyphrases[0] ?? main];
  if (has(field, setOf('language lang locale'))) return ['en'];
  if (has(field, setOf('introduction intro opening lead lede'))) {
    return [extraction.chosen[0]?.text ?? main];
  }
  if (has(field, setOf('conclusion closing ending'))) {
    return [extraction.chosen.at(-1)?.text ?? main];
  }
  return [relatedSentence(field, content)?.text ?? main];
};

/** What may stand in a text field, best first. */
export const textsFor = (field: Field, content: Content): string[] => {
  const { scope } = field;
  if (scope?.kind === 'sentence') return ofSentence(field, scope.sentence, content);
  if (scope?.kind === 'complaint') return ofComplaint(field, scope.complaint);
  if (scope?.kind === 'document') return ofDocument(field, scope.document, content);
  if (scope?.kind === 'phrase') return ofPhrase(field, scope.phrase, content);
  return content.kind === 'critique' ? ofCritique(field, content) : ofWhole(field, content);
};

const sentenceScopes = (content: Content, count: number): Scope[] => {
  const { ranked } = content.extraction;
  const picked = pickSentences(ranked, count);
  const more = ranked
    .filter((sentence) => !picked.includes(sentence))
    .slice(0, count - picked.length);
  return [...picked, ...more].map((sentence, place) => ({ kind: 'sentence', sentence, place }));
};

/**
 * The items of a list, best first where not all have a place.
 * @param count how many are wanted; where everything there is belongs in the list, there may be more
 */
export const scopesFor = (field: Field, content: Content, count: number): Scope[] => {
  const { extraction, complaints, kind } = content;
  if (has(field, phraseWords)) {
    return extraction.keyphrases.map((phrase, place) => ({ kind: 'phrase', phrase, place }));
  }
  if (has(field, sourceWords) && kind !== 'critique') {
    return extraction.documents.map((document, place) => ({ kind: 'document', document, place }));
  }
  if (has(field, headingWords) && extraction.headings.length > 0) {
    return extraction.headings.map((phrase, place) => ({ kind: 'phrase', phrase, place }));
  }
  if (kind === 'critique' && !has(field, setOf('strengths strength positives praise quotes'))) {
    return complaints.map((complaint, place) => ({ kind: 'complaint', complaint, place }));
  }
  return kind === 'critique' ? [] : sentenceScopes(content, count);
};

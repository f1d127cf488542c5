/**
 * What there is to say: the result of a task, from which the fields of an answer are filled.
 */
import { critiqueDraft, feedbackOf, type Complaint } from './critique.ts';
import { draftTexts } from './draft.ts';
import { extract, type Extraction } from './extract.ts';
import type { Task } from './interpret.ts';
import { plainText } from './markdown.ts';
import { readabilityOf, type Readability } from './readability.ts';
import { rewriteDraft } from './rewrite.ts';
import type { NamedText } from './segment.ts';
import { sourcesOf } from './support.ts';

export interface Content {
  readonly kind: Task['kind'];
  /** The answer as text. */
  readonly main: string;
  /** The answer as an object, where a draft was one. */
  readonly value?: unknown;
  readonly isPassed: boolean;
  readonly complaints: readonly Complaint[];
  readonly extraction: Extraction;
  readonly readability: Readability;
  /** Items that were asked for, or undefined. */
  readonly items: number | undefined;
  /** Everything that was read. */
  readonly material: string;
}

const joined = (documents: readonly NamedText[]): string =>
  documents.map(({ text }) => text).join('\n\n');

const textOf = (draft: string): string =>
  draftTexts(draft)
    .map(({ text }) => text)
    .join('\n\n');

const measured = (extraction: Extraction): Readability =>
  readabilityOf(extraction.ranked.map((sentence) => sentence.text));

const critiqueContent = (task: Task & { kind: 'critique' }): Content => {
  const { draft, documents, limits, instructions } = task;
  const complaints = critiqueDraft(draft, { limits, sources: sourcesOf(documents) });
  const texts = [{ name: 'draft', text: textOf(draft) }];
  const extraction = extract(texts, { instructions, limits: {} });
  return {
    kind: 'critique',
    main: feedbackOf(complaints),
    isPassed: complaints.every((complaint) => !complaint.isSerious),
    complaints,
    extraction,
    readability: measured(extraction),
    items: limits.items,
    material: joined(texts),
  };
};

const revisionContent = (task: Task & { kind: 'revise' }): Content => {
  const { draft, feedback, documents, limits, instructions } = task;
  const sources = sourcesOf(documents);
  const rewritten = rewriteDraft(draft, { feedback, limits, sources, documents });
  const texts = [{ name: 'draft', text: rewritten.text }];
  const extraction = extract(texts, { instructions, limits });
  return {
    kind: 'revise',
    main: rewritten.text.trim(),
    ...('value' in rewritten ? { value: rewritten.value } : {}),
    isPassed: true,
    complaints: [],
    extraction,
    readability: measured(extraction),
    items: limits.items,
    material: joined(texts),
  };
};

const extractionContent = (task: Task & { kind: 'extract' }): Content => {
  const { documents, instructions, limits } = task;
  const extraction = extract(documents, { instructions, limits });
  const summary = extraction.chosen.map((sentence) => sentence.text).join(' ');
  const material = joined(documents);
  return {
    kind: 'extract',
    main: summary === '' ? plainText(material).slice(0, 1000) : summary,
    isPassed: true,
    complaints: [],
    extraction,
    readability: measured(extraction),
    items: limits.items,
    material,
  };
};

/** Does what a task asks for. */
export const contentOf = (task: Task): Content => {
  if (task.kind === 'critique') return critiqueContent(task);
  return task.kind === 'revise' ? revisionContent(task) : extractionContent(task);
};

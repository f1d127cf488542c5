/**
 * What a request asks for: a critique, a revision or an extraction, and of what. It does no work itself.
 *
 * 1. A schema with a `decision` between `pass` and `revise` asks for a critique.
 * 2. A draft and feedback on it, as documents or in the words of the prompt, ask for a revision.
 * 3. Everything else is an extraction from the documents, or from the prompt's own text.
 */
import type { JsonSchema, ModelRequest } from '../../ports/model.ts';
import { draftTexts, draftValue } from './draft.ts';
import { withoutControls, withoutHtml } from './markdown.ts';
import type { NamedText } from './segment.ts';
import { statedLimits, type StatedLimits } from './stated-limits.ts';
import { wordsOf } from './words.ts';

interface TaskContext {
  /** What to do, without the text it is done to. */
  readonly instructions: string;
  readonly limits: StatedLimits;
  /** Documents that are neither the draft nor the feedback. */
  readonly documents: readonly NamedText[];
}

export type Task =
  | (TaskContext & { readonly kind: 'critique'; readonly draft: string })
  | (TaskContext & { readonly kind: 'revise'; readonly draft: string; readonly feedback: string })
  | (TaskContext & { readonly kind: 'extract' });

const critiqueVerb =
  /^\W*(?:please\s+)?(?:critique|criticise|criticize|review|assess|proofread|check|judge)\b/i;
const reviseVerb =
  /^\W*(?:please\s+)?(?:revise|rewrite|improve|edit|shorten|tighten|correct|fix|redraft|polish)\b/i;
const feedbackMark =
  /^[ \t]*(?:#+[ \t]*)?(?:\*\*)?(?:critique|feedback|review|comments?|criticism)[ \t]*:(?:\*\*)?[ \t]*/gim;
const repairMark = /^Your answer does not fit the schema\b/;

const draftNames: readonly string[] = ['draft', 'previous', 'previous draft', 'text to revise'];
const feedbackNames: readonly string[] = ['feedback', 'critique', 'review', 'verdict', 'comments'];

/** `Draft.md` as `draft`. */
const plainName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\.(?:md|markdown|txt|json)$/, '')
    .replace(/[-_]+/g, ' ')
    .trim();

const named = (documents: readonly NamedText[], names: readonly string[]): NamedText | undefined =>
  names.map((name) => documents.find((each) => plainName(each.name) === name)).find(Boolean) ??
  documents.find((each) => names.includes(plainName(each.name).split(' ').at(-1) ?? ''));

/** Whether a schema asks for a verdict: a `decision` that may be `pass` or `revise`. */
const asksForVerdict = (schema: JsonSchema | undefined): boolean => {
  const properties = schema?.['properties'] as Record<string, JsonSchema> | undefined;
  const found = JSON.stringify(properties?.['decision'] ?? null);
  const decision = found.includes('"$ref"') ? JSON.stringify(schema?.['$defs'] ?? {}) : found;
  return decision.includes('"pass"') && decision.includes('"revise"');
};

/** The last thing that was asked; a request to mend an answer repeats what was asked before it. */
const promptOf = (request: ModelRequest): string => {
  const asked = request.messages
    .filter((message) => message.role === 'user')
    .map((message) => message.content);
  const last = asked.findLast((content) => !repairMark.test(content));
  return withoutControls(last ?? asked.at(-1) ?? '');
};

/** A prompt as its first line and the rest. */
const splitPrompt = (prompt: string): { instruction: string; text: string } => {
  const [first = '', ...rest] = prompt.trim().split('\n');
  const text = rest.join('\n').trim();
  return wordsOf(text).length > 0 ? { instruction: first, text } : { instruction: first, text: '' };
};

/** The draft and the feedback in the words of a prompt: `Revise.`, the text, `Critique:`, the feedback. */
const splitRevision = (text: string): { draft: string; feedback: string } | undefined => {
  const marks = Array.from(text.matchAll(feedbackMark));
  // A mark on a line of its own is meant as one; "Review: it is fine" may be part of what was said.
  const own = marks.filter((each) =>
    /^[ \t]*(?:\n|$)/.test(text.slice(each.index + each[0].length)),
  );
  const mark = own.at(-1) ?? marks.at(-1);
  if (mark === undefined) return undefined;
  const draft = text.slice(0, mark.index).trim();
  const feedback = text.slice(mark.index + mark[0].length).trim();
  return draft === '' ? undefined : { draft, feedback };
};

/** A verdict that comes as JSON is read for its words. */
const feedbackText = (text: string): string =>
  draftValue(text) === undefined
    ? text
    : draftTexts(text)
        .map((each) => each.text)
        .join('\n');

interface Material {
  readonly documents: readonly NamedText[];
  readonly prompt: string;
  readonly system: string;
}

const contextOf = (
  { documents, system }: Material,
  instruction: string,
  left: readonly (NamedText | undefined)[],
): TaskContext => {
  const instructions = `${system}\n${instruction}`.trim();
  return {
    instructions,
    limits: statedLimits(instructions),
    documents: documents.filter((document) => !left.includes(document)),
  };
};

const critiqueOf = (material: Material): Task => {
  const { documents, prompt } = material;
  const feedback = named(documents, feedbackNames);
  const draft = named(documents, draftNames) ?? documents.findLast((each) => each !== feedback);
  if (draft !== undefined) {
    return {
      kind: 'critique',
      draft: draft.text,
      ...contextOf(material, prompt, [draft, feedback]),
    };
  }
  const { instruction, text } = splitPrompt(prompt);
  // A prompt of one line is the draft itself.
  const [task, body] = text === '' ? ['', instruction] : [instruction, text];
  return { kind: 'critique', draft: body, ...contextOf(material, task, []) };
};

const revisionOf = (material: Material): Task | undefined => {
  const { documents, prompt } = material;
  const draft = named(documents, draftNames);
  const feedback = named(documents, feedbackNames);
  const { instruction, text } = splitPrompt(prompt);
  const asksToRevise = reviseVerb.test(instruction);
  if (draft !== undefined && (feedback !== undefined || asksToRevise)) {
    const context = contextOf(material, prompt, [draft, feedback]);
    const words = feedback === undefined ? prompt : feedbackText(feedback.text);
    return { kind: 'revise', draft: draft.text, feedback: words, ...context };
  }
  if (!asksToRevise || text === '') return undefined;
  const parts = splitRevision(text) ?? {
    draft: text,
    feedback: feedback === undefined ? instruction : feedbackText(feedback.text),
  };
  return { kind: 'revise', ...parts, ...contextOf(material, instruction, [feedback]) };
};

const extractionOf = (material: Material): Task => {
  if (material.documents.length > 0) {
    return { kind: 'extract', ...contextOf(material, material.prompt, []) };
  }
  const { instruction, text } = splitPrompt(material.prompt);
  const body = text === '' ? instruction : text;
  const documents = [{ name: 'prompt', text: body }];
  return { kind: 'extract', ...contextOf({ ...material, documents }, instruction, []) };
};

/** What a request asks for. */
export const interpret = (request: ModelRequest): Task => {
  const material: Material = {
    documents: (request.documents ?? []).map(({ name, text }) => ({
      name,
      text: withoutHtml(withoutControls(text)),
    })),
    prompt: promptOf(request),
    system: withoutControls(request.system ?? ''),
  };
  if (asksForVerdict(request.output?.schema)) return critiqueOf(material);
  const revision = revisionOf(material);
  if (revision !== undefined) return revision;
  const isPlainCritique =
    critiqueVerb.test(material.prompt) &&
    (material.documents.length > 0 || splitPrompt(material.prompt).text !== '');
  return isPlainCritique ? critiqueOf(material) : extractionOf(material);
};

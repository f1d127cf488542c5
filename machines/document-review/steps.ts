/** The steps of document-review, and their rounds. */
import { file, rounds, step, verdict, type ModelDocument } from 'ecl';
import { z } from 'zod';
import { extractPrompt } from './prompts/extract.ts';
import { reviewPrompt } from './prompts/review.ts';
import { revisePrompt } from './prompts/revise.ts';
import { documentName, renderDocument } from './render.ts';
import { judgedCriteria, reviewOf, wordsOfCriteria } from './review.ts';
import { Acceptance, Extraction, Judgement, Review, Source } from './schemas.ts';
import { readSources } from './sources.ts';
import { titleOfInstructions } from './title.ts';

const Task = z.object({
  files: z.array(file()),
  instructions: z.string(),
  criteria: z.array(z.string()),
});

/** What a model answers must name files that there are; it is told when it does not. */
const extractionFrom = (documents: readonly ModelDocument[]): z.ZodType<Extraction> => {
  const names = documents.map(({ name }) => name);
  return Extraction.superRefine(({ points }, refused) => {
    points.forEach(({ source }, index) => {
      if (names.includes(source)) return;
      const message = `"${source}" is none of the files: ${names.join(', ')}`;
      refused.addIssue({ code: 'custom', path: ['points', index, 'source'], message });
    });
  });
};

/** More files have more to say, up to what a reader takes in. */
const pointsFor = (files: number): number => Math.min(6 + 2 * files, 20);

/** Files and instructions in; title, summary and points with their sources out. */
export const extract = step({
  name: 'extract',
  input: Task,
  output: Extraction,
  execute: async ({ input, model, artifacts }) => {
    const documents = await readSources(input.files, artifacts);
    const prompt = extractPrompt(input, pointsFor(documents.length));
    const extraction = await model.object({ ...prompt, documents }, extractionFrom(documents));
    if (model.isLanguageModel) return extraction;
    // A title takes understanding; what was asked for says more than the words that rules find.
    return { ...extraction, title: titleOfInstructions(input.instructions) ?? extraction.title };
  },
  revise: async ({ input, previous, feedback, model, artifacts }) => {
    const sources = await readSources(input.files, artifacts);
    const documents = [
      { name: 'draft', text: JSON.stringify(previous, null, 2), mediaType: 'application/json' },
      { name: 'feedback', text: feedback },
      ...sources,
    ];
    return model.object({ ...revisePrompt(input), documents }, extractionFrom(sources));
  },
});

/** An extraction in; a verdict on it out, with each criterion and the checks that need no model. */
export const review = step({
  name: 'review',
  input: Task.extend({ draft: Extraction }),
  output: Review,
  execute: async ({ input, model, artifacts }) => {
    const { draft, criteria } = input;
    const sources = await readSources(input.files, artifacts);
    const documents = [
      { name: 'draft', text: JSON.stringify(draft, null, 2), mediaType: 'application/json' },
      ...sources,
    ];
    const request = { ...reviewPrompt(input), documents };
    if (!model.isLanguageModel) {
      const found = await model.object(request, verdict());
      const results = wordsOfCriteria(criteria, draft);
      return reviewOf(draft, sources, { ...found, criteria: results, mendsQuotes: false });
    }
    const judged = await model.object(request, Judgement);
    const results = judgedCriteria(criteria, judged.criteria);
    return reviewOf(draft, sources, { ...judged, criteria: results, mendsQuotes: true });
  },
});

/** The accepted extraction in; the finished document out, written as an artifact. */
export const write = step({
  name: 'write',
  input: z.object({
    task: Task,
    title: z.string().nullable(),
    extraction: Extraction,
    review: Review,
    acceptedBy: Acceptance,
    round: z.number(),
    roundsMax: z.number(),
  }),
  output: Source,
  execute: ({ input, model, artifacts }) => {
    const { id, isLanguageModel } = model;
    const title = input.title ?? input.extraction.title;
    const content = renderDocument({ ...input, title, model: { id, isLanguageModel } });
    return artifacts.write({ name: documentName(title), content, mediaType: 'text/markdown' });
  },
});

/** At most three extractions and three reviews; then a person decides. */
export const extractionRounds = rounds({ review, of: extract, max: 3, onExhausted: 'ask' });

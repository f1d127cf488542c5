/** What a review makes of a model's verdict: criteria by name, and checks that need no model. */
import type { ModelDocument, Verdict } from 'ecl';
import type { z } from 'zod';
import { unfoundQuotes, wordsFound } from './quotes.ts';
import type { CriterionResult, Extraction, Judgement, Review } from './schemas.ts';

type Result = z.infer<typeof CriterionResult>;
type Judgement = z.infer<typeof Judgement>;

/** One result for each criterion, whatever the model left out. */
export const judgedCriteria = (
  criteria: readonly string[],
  judged: Judgement['criteria'],
): Result[] =>
  criteria.map((criterion, index) => {
    const own = judged.find(({ number }) => number === index + 1);
    if (own === undefined) return { criterion, result: 'not judged', comment: 'no answer' };
    return { criterion, result: own.met ? 'met' : 'not met', comment: own.comment };
  });

/** Rules cannot judge what a criterion means; they can tell whether its words occur. */
export const wordsOfCriteria = (criteria: readonly string[], draft: Extraction): Result[] => {
  const text = [draft.summary, ...draft.points.map((point) => point.text)].join('\n');
  return criteria.map((criterion) => ({
    criterion,
    result: 'not judged',
    comment: `needs a language model; of its words, ${wordsFound(criterion, text)} occur`,
  }));
};

const quoteComplaints = (
  draft: Extraction,
  documents: readonly ModelDocument[],
): { found: number; complaints: string[] } => {
  const unfound = unfoundQuotes(draft.points, documents);
  return {
    found: draft.points.length - unfound.length,
    complaints: unfound.map(
      ({ quote, source }) => `The quotation "${quote}" does not stand in ${source} word for word.`,
    ),
  };
};

/**
 * A verdict passes only when the checks do too. What is said of quotations goes to a model that can mend them: rules take
 * sentences as they stand, so what they miss is a mark of Markdown that they and this check read differently.
 */
export const reviewOf = (
  draft: Extraction,
  documents: readonly ModelDocument[],
  verdict: Verdict & { criteria: Result[]; mendsQuotes: boolean },
): Review => {
  const { decision, feedback, criteria, mendsQuotes } = verdict;
  const { found, complaints } = quoteComplaints(draft, documents);
  const unmet = criteria
    .filter(({ result }) => result === 'not met')
    .map(({ criterion, comment }) => `Not met: ${criterion} (${comment})`);
  const more = [...unmet, ...(mendsQuotes ? complaints : [])];
  const used = new Set(draft.points.map(({ source }) => source));
  return {
    decision: decision === 'pass' && more.length > 0 ? 'revise' : decision,
    feedback: [feedback, ...more].filter((part) => part !== '').join('\n'),
    criteria,
    quotes: { checked: draft.points.length, found },
    files: {
      given: documents.length,
      used: documents.filter(({ name }) => used.has(name)).length,
    },
  };
};

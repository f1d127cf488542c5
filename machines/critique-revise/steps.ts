/** The steps of critique-revise, and their rounds. */
import { rounds, step, verdict } from 'ecl';
import { z } from 'zod';
import { critiquePrompt } from './prompts/critique.ts';
import { draftPrompt } from './prompts/draft.ts';
import { revisePrompt } from './prompts/revise.ts';

/** A topic in; a text of at most 2000 characters out. */
export const draft = step({
  name: 'draft',
  input: z.object({ topic: z.string() }),
  output: z.object({ text: z.string().min(1).max(2000) }),
  execute: ({ input, model }) => model.object(draftPrompt(input.topic)),
  revise: ({ previous, feedback, model }) => model.object(revisePrompt(previous.text, feedback)),
});

/** A draft in; a verdict on it out. */
export const critique = step({
  name: 'critique',
  input: draft.output,
  output: verdict(),
  execute: ({ input, model }) => model.object(critiquePrompt(input.text)),
});

/** At most three drafts and three critiques; then a person decides. */
export const draftRounds = rounds({ review: critique, of: draft, max: 3, onExhausted: 'ask' });

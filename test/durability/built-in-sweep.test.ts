import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { critiqueReviseAnswer, documentReviewAnswer, seaNotes } from './built-in-answers.ts';
import { builtInFlows } from './flows.ts';
import { temporaryFolder } from './processes.ts';
import { sweep, type Sweep, type When } from './sweep.ts';

const critiqueRevise = async (when: When): Promise<Sweep> =>
  sweep({
    workflow: 'critique-revise',
    when,
    workflows: await builtInFlows(),
    input: JSON.stringify({ topic: 'the sea of #$key#' }),
    answer: critiqueReviseAnswer,
  });

const documentReview = async (when: When): Promise<Sweep> => {
  const file = join(temporaryFolder(), 'sea.md');
  writeFileSync(file, seaNotes);
  return sweep({
    workflow: 'document-review',
    when,
    workflows: await builtInFlows(),
    input: JSON.stringify({ files: [file], instructions: 'Say what is known of #$key#.' }),
    answer: documentReviewAnswer,
  });
};

const outcomes = ({ kills, history: { ends, repeated } }: Sweep) => ({
  kills,
  repeated,
  completed: [...ends.values()].filter((type) => type === 'RunCompleted').length,
});

describe.concurrent('a process that runs a workflow of the package', { timeout: 300_000 }, () => {
  // The start, four replies and four results.
  it('critique-revise, killed before each append, ends it', async () => {
    const swept = outcomes(await critiqueRevise('before'));
    expect(swept).toEqual({ kills: 9, repeated: 4, completed: 10 });
  });

  it('critique-revise, killed after each append, ends it without a repeated call', async () => {
    const swept = outcomes(await critiqueRevise('after'));
    expect(swept).toEqual({ kills: 9, repeated: 0, completed: 10 });
  });

  // The start, four replies, five results and the document.
  it('document-review, killed after each append, ends it without a repeated call', async () => {
    const swept = outcomes(await documentReview('after'));
    expect(swept).toEqual({ kills: 11, repeated: 0, completed: 12 });
  });

  it('document-review, killed during each model call, makes that call alone again', async () => {
    const swept = outcomes(await documentReview('call'));
    expect(swept).toEqual({ kills: 4, repeated: 4, completed: 5 });
  });
});

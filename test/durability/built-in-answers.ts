/** What a provider says to the workflows of the package: the first draft of anything is sent back once. */
import { tagOf, type Call } from './model-server.ts';

export const critiqueReviseAnswer = ({ question, number }: Call): string => {
  const mark = `${tagOf(question)} [${number}]`;
  if (question.startsWith('Write')) return JSON.stringify({ text: `The sea is wide. ${mark}` });
  if (question.startsWith('Revise')) return JSON.stringify({ text: `It is SALTY too. ${mark}` });
  const decision = question.includes('SALTY') ? 'pass' : 'revise';
  return JSON.stringify({ decision, feedback: mark });
};

/** The text of a file whose words the answers quote. */
export const seaNotes = '# Notes\n\nThe sea is deep. The sea is salty.\n';

export const documentReviewAnswer = ({ body, number }: Call): string => {
  const mark = `[${number}]`;
  if (body.includes('"criteria"')) {
    const decision = body.includes('SALTY') ? 'pass' : 'revise';
    return JSON.stringify({ decision, feedback: mark, criteria: [] });
  }
  const title = body.includes('"feedback"') ? 'A SALTY sea' : 'A sea';
  const points = [{ text: 'It is deep.', quote: 'The sea is deep.', source: 'sea.md' }];
  return JSON.stringify({ title, points, summary: `What the notes say. ${mark}` });
};

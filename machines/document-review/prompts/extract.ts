/**
 * Asks for an extraction from the files.
 *
 * The words are few on purpose: a model that works by rules takes each of them for something to look for.
 */

export interface Task {
  readonly instructions: string;
  readonly criteria: readonly string[];
}

/** What a person wants, in the person's words. */
export const taskText = ({ instructions, criteria }: Task): string =>
  criteria.length === 0
    ? instructions
    : `${instructions}\n\nCriteria:\n${criteria.map((each, index) => `${index + 1}. ${each}`).join('\n')}`;

/** @param points how many there should be when the instructions do not say */
export const extractPrompt = (task: Task, points: number): { system: string; prompt: string } => ({
  system: 'Answer from the documents alone.',
  prompt: `${taskText(task)}\n\nGive a summary and up to ${points} points.`,
});

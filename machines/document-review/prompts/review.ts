/** Asks for a verdict on an extraction. */
import { taskText, type Task } from './extract.ts';

export const reviewPrompt = (task: Task): { system: string; prompt: string } => ({
  system:
    'Hold the draft against its instructions, its criteria and the documents. Decide "pass" when it may go to a reader as it is, "revise" when changes that you can name would make it good, "reject" when no revision would. Object to what no document says.',
  prompt: `Review the draft. It was made for these instructions:\n\n${taskText(task)}`,
});

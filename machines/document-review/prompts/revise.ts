/** Asks for a better extraction, with the one before it and what the review said of it. */
import { taskText, type Task } from './extract.ts';

export const revisePrompt = (task: Task): { system: string; prompt: string } => ({
  system: 'Answer from the documents alone.',
  prompt: `Revise the draft as the feedback asks. It was made for these instructions:\n\n${taskText(task)}`,
});

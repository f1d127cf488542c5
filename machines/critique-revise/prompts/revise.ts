/** Asks for a better draft, with the one before it and what was said of it. */
export const revisePrompt = (
  previous: string,
  feedback: string,
): { system: string; prompt: string } => ({
  system: 'Change what the critique names and leave the rest as it is.',
  prompt: `Revise this text, in under 2000 characters.\n\n${previous}\n\nCritique:\n${feedback}`,
});

/** Asks for the first draft. */
export const draftPrompt = (topic: string): { system: string; prompt: string } => ({
  system: 'Plain prose in short paragraphs, without headings. Claim only what you are sure of.',
  prompt: `Write in under 2000 characters about the following.\n\n${topic}`,
});

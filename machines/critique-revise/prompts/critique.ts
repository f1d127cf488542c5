/** Asks for a verdict on a draft. */
export const critiquePrompt = (text: string): { system: string; prompt: string } => ({
  system:
    'Decide "pass" when you would publish the text as it is, "revise" when changes that you can name would make it good, "reject" when no revision would. Quote what you object to and say what to do about it.',
  prompt: `Critique this text, which must stay under 2000 characters.\n\n${text}`,
});

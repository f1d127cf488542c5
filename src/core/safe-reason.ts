/**
 * What a provider said about a failure, made fit for a journal and a log. It is no filter for answers.
 *
 * 1. No secret stands in it.
 * 2. It quotes nothing of the prompt: a message that does is dropped whole, since what is left would mislead.
 * 3. It is one short line without control characters.
 */

const lengthMax = 300;
/** A run of this many characters shared with a prompt counts as quoting it. */
const quoteLength = 12;
/** Larger prompts are not searched; the message is dropped instead. */
const promptsLengthMax = 1024 * 1024;

const tokenPattern = /\b(?:sk|pk|key|token)-[\w-]{8,}|\bBearer\s+\S+/gi;

const isQuoted = (message: string, prompt: string): boolean => {
  if (prompt.length < quoteLength) {
    return prompt.trim().length >= 4 && message.includes(prompt.trim());
  }
  for (let at = 0; at + quoteLength <= message.length; at += 1) {
    if (prompt.includes(message.slice(at, at + quoteLength))) return true;
  }
  return false;
};

/** The first line of a message, or undefined where it says nothing or says too much. */
export const safeReason = (
  message: string,
  hidden: { readonly secrets: readonly string[]; readonly prompts: readonly string[] },
): string | undefined => {
  // A secret first: cutting the line might leave half of one.
  let text = message;
  for (const secret of hidden.secrets) {
    if (secret.length > 0) text = text.replaceAll(secret, '[redacted]');
  }
  text = text.replace(tokenPattern, '[redacted]').trim();
  text = (text.split(/[\r\n\u2028\u2029]/)[0] ?? '').replace(/\p{C}/gu, '').slice(0, lengthMax);
  const size = hidden.prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  if (text === '' || size > promptsLengthMax) return undefined;
  return hidden.prompts.some((prompt) => isQuoted(text, prompt)) ? undefined : text;
};

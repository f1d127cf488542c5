/**
 * What a critique asks for, as far as rules understand it: limits, sentences and claims to drop, words to replace,
 * things that are missing. What they do not understand has no effect.
 */
import { statedLimits, strictest, type StatedLimits } from './stated-limits.ts';

export interface Wishes {
  readonly limits: StatedLimits;
  /** Places of sentences, from 1. */
  readonly droppedSentences: ReadonlySet<number>;
  /** Words of sentences to drop. */
  readonly droppedClaims: readonly string[];
  readonly replacements: readonly (readonly [string, string])[];
  /** What a sentence is to be found about. */
  readonly missing: readonly string[];
}

/** A text that is "too long" without a number loses this share. */
const shorterShare = 0.7;

const quoted = String.raw`["“']([^"”'\n]{1,200})["”']`;
const replacePattern = new RegExp(
  String.raw`\b(?:replace|change)\s+${quoted}\s+(?:with|by|to|into)\s+${quoted}`,
  'gi',
);
const insteadPattern = new RegExp(
  String.raw`\buse\s+${quoted}\s+(?:instead of|rather than|for)\s+${quoted}`,
  'gi',
);
const removePattern = new RegExp(
  String.raw`\b(?:remove|delete|leave out)\s+(?:the\s+(?:word|words|phrase)\s+)?${quoted}`,
  'gi',
);
const dropSentencePattern = /\b(?:remove|delete|drop|cut)\s+(?:the\s+)?sentence\s+(\d{1,4})\b/gi;
const unsupportedPattern =
  /\bthe (?:number ([\d.,]+%?)|quotation "([^"\n]+)") stands in no source/g;
const missingPattern =
  /\b(?:add|mention|include|cover|missing|more\s+(?:about|on|details?\s+(?:about|on|of)))\b:?\s+([^.;\n]{3,200})/gi;

const isShorterWanted = (feedback: string): boolean =>
  /\b(?:too long|shorter|shorten|more concise|condense|trim it|cut it down)\b/i.test(feedback);

/** The wishes of a feedback on a text. */
export const wishesOf = (feedback: string, text: string): Wishes => {
  // What a critique quotes of the draft is no wish.
  const said = feedback.replace(/“[^”\n]*”|"[^"\n]*"/g, '""');
  const stated = statedLimits(said, { isStrict: true });
  const isUnstated = stated.characters === undefined && stated.words === undefined;
  const shorter: StatedLimits =
    isUnstated && isShorterWanted(said)
      ? { characters: Math.max(1, Math.floor(text.trim().length * shorterShare)) }
      : {};
  return {
    limits: strictest(stated, shorter),
    droppedSentences: new Set(
      Array.from(feedback.matchAll(dropSentencePattern), ([, place]) => Number(place)),
    ),
    droppedClaims: Array.from(
      feedback.matchAll(unsupportedPattern),
      ([, number, quotation]) => number ?? quotation ?? '',
    ),
    replacements: [
      ...Array.from(
        feedback.matchAll(replacePattern),
        ([, from = '', to = '']) => [from, to] as const,
      ),
      ...Array.from(
        feedback.matchAll(insteadPattern),
        ([, to = '', from = '']) => [from, to] as const,
      ),
      ...Array.from(feedback.matchAll(removePattern), ([, from = '']) => [`${from} `, ''] as const),
    ],
    missing: Array.from(said.matchAll(missingPattern), ([, topic = '']) => topic),
  };
};

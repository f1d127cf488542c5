/**
 * Words: how they are told apart, which of them carry meaning, and which are forms of one another.
 *
 * The stemming is deliberately weak: it joins `engines` and `engine`, never `organ` and `organisation`.
 */

const stopWordList = `
a about above after again against all almost also although always am among an and any are as at away be because been
before being below between both but by can cannot could did do does doing done down during each either else enough
etc even ever every few for from further get gets got had has have having he her here hers herself him himself his how
however i if in indeed instead into is it its itself just least less let like made make makes many may me might more
most much must my myself near neither no nor not now of off often on once one only onto or other others our ours out
over own per perhaps quite rather really same say says she should since so some still such than that the their theirs
them themselves then there therefore these they this those though through thus to together too toward towards under
until up upon us use used uses using very via was we well were what when where whether which while who whom whose why
will with within without would yet you your yours yourself
isn't aren't wasn't weren't don't doesn't didn't won't wouldn't can't couldn't shouldn't it's that's there's they're
we're you're i'm i've we've they've hasn't haven't hadn't let's
`;

const stopWords: ReadonlySet<string> = new Set(stopWordList.split(/\s+/).filter(Boolean));

const wordPattern = /[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*/gu;
const unspacedPattern = /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]/;
const unspacedWords = new Intl.Segmenter('en', { granularity: 'word' });

/** The words of a text, as they are written. */
export const wordsOf = (text: string): string[] => {
  if (!unspacedPattern.test(text)) return text.match(wordPattern) ?? [];
  // The segmenter copies its whole input with each segment, so it gets short pieces only.
  const pieces = text.match(/[\s\S]{1,500}/g) ?? [];
  return pieces.flatMap((piece) =>
    Array.from(unspacedWords.segment(piece))
      .filter((segment) => segment.isWordLike === true)
      .map((segment) => segment.segment),
  );
};

export const isStopWord = (word: string): boolean =>
  stopWords.has(word.toLowerCase().replace('’', "'"));

/** The form under which words are compared. */
export const stem = (word: string): string => {
  const lower = word.toLowerCase().replace(/['’]s$/, '');
  if (lower.length > 4 && lower.endsWith('ies')) return `${lower.slice(0, -3)}y`;
  if (lower.length > 4 && /(?:sses|shes|ches|xes|zes)$/.test(lower)) return lower.slice(0, -2);
  const singular = lower.length > 3 && /[^sui]s$/.test(lower) ? lower.slice(0, -1) : lower;
  if (singular.length > 6 && singular.endsWith('ing')) return singular.slice(0, -3);
  if (singular.length > 5 && singular.endsWith('ed')) return singular.slice(0, -2);
  return singular.length > 4 && singular.endsWith('e') ? singular.slice(0, -1) : singular;
};

/** The words of a text that carry meaning, in the form in which they are compared. */
export const contentStems = (text: string): string[] =>
  wordsOf(text)
    .filter((word) => word.length > 1 && !isStopWord(word) && /\p{L}/u.test(word))
    .map(stem);

/** `sourceName` and `source_name` as `source name`. */
export const nameWords = (name: string): string[] =>
  name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .map((word) => word.toLowerCase());

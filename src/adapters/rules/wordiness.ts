/**
 * Phrases that say in many words what fewer say, and words that say nothing. A table, and how its entries are found.
 *
 * 1. A replacement fits wherever its phrase stood: entries whose replacement depends on what follows are not in it.
 * 2. What somebody else said (in quotation marks), code and addresses are left alone.
 */

export interface Wordy {
  readonly at: number;
  readonly length: number;
  readonly phrase: string;
  readonly replacement: string;
}

const replacements: Readonly<Record<string, string>> = {
  'a considerable number of': 'many',
  'a large majority of': 'most',
  'a large number of': 'many',
  'a majority of': 'most',
  'a significant number of': 'many',
  'a small number of': 'a few',
  'a wide variety of': 'many',
  'absolutely essential': 'essential',
  'advance planning': 'planning',
  'are able to': 'can',
  'as a consequence of': 'because of',
  'as a matter of fact,': '',
  'at all times': 'always',
  'at an early date': 'soon',
  'at that point in time': 'then',
  'at the present time': 'now',
  'at this point in time': 'now',
  'basic fundamentals': 'fundamentals',
  'by means of': 'by',
  'close proximity to': 'proximity to',
  'completely eliminate': 'eliminate',
  'completely eliminated': 'eliminated',
  'despite the fact that': 'although',
  'due to the fact that': 'because',
  'during the course of': 'during',
  'each and every': 'every',
  'end result': 'result',
  'final outcome': 'outcome',
  'first and foremost': 'first',
  'for all intents and purposes': 'in effect',
  'for the duration of': 'during',
  'for the purpose of': 'for',
  'for the reason that': 'because',
  'future plans': 'plans',
  'give consideration to': 'consider',
  'has the ability to': 'can',
  'has the capacity to': 'can',
  'have the ability to': 'can',
  'have the capacity to': 'can',
  'in a timely manner': 'promptly',
  'in actual fact': 'in fact',
  'in advance of': 'before',
  'in an effort to': 'to',
  'in close proximity to': 'near',
  'in light of the fact that': 'because',
  'in many cases': 'often',
  'in most cases': 'usually',
  'in order that': 'so that',
  'in order to': 'to',
  'in reference to': 'about',
  'in regard to': 'about',
  'in regards to': 'about',
  'in relation to': 'about',
  'in some cases': 'sometimes',
  'in spite of the fact that': 'although',
  'in the absence of': 'without',
  'in the course of': 'during',
  'in the event that': 'if',
  'in the near future': 'soon',
  'in the vicinity of': 'near',
  'in view of the fact that': 'because',
  'is able to': 'can',
  'it is important to note that': '',
  'it is interesting to note that': '',
  'it is worth mentioning that': '',
  'it is worth noting that': '',
  'it should be noted that': '',
  'it should be pointed out that': '',
  'large in size': 'large',
  'made a decision to': 'decided to',
  'make a decision': 'decide',
  'make use of': 'use',
  'makes use of': 'uses',
  'made use of': 'used',
  'needless to say,': '',
  'not in a position to': 'unable to',
  'notwithstanding the fact that': 'although',
  'on a daily basis': 'daily',
  'on a monthly basis': 'monthly',
  'on a regular basis': 'regularly',
  'on a weekly basis': 'weekly',
  'on a yearly basis': 'yearly',
  'on account of the fact that': 'because',
  'on the grounds that': 'because',
  'on the occasion of': 'on',
  'on two separate occasions': 'twice',
  'owing to the fact that': 'because',
  'past history': 'history',
  'prior to': 'before',
  'refer back to': 'refer to',
  'small in size': 'small',
  'subsequent to': 'after',
  'take into consideration': 'consider',
  'takes into consideration': 'considers',
  'the great majority of': 'most',
  'the vast majority of': 'most',
  'through the use of': 'with',
  'until such time as': 'until',
  utilise: 'use',
  utilised: 'used',
  utilises: 'uses',
  utilising: 'using',
  utilize: 'use',
  utilized: 'used',
  utilizes: 'uses',
  utilizing: 'using',
  'was able to': 'could',
  'were able to': 'could',
  'with reference to': 'about',
  'with regard to': 'about',
  'with the exception of': 'except',
};

const entries = Object.entries(replacements);

const escaped = (phrase: string): string => phrase.replace(/ /g, String.raw`\s+`);

const wordyPattern = new RegExp(
  String.raw`(?<![\p{L}\p{N}'’-])(?:${entries
    .map(([phrase]) => escaped(phrase))
    .sort((a, b) => b.length - a.length)
    .join('|')})(?![\p{L}\p{N}'’-])`,
  'giu',
);

/** Words that add nothing; not after words that give them a meaning ("not very", "the very"), nor before "much". */
const fillerPattern =
  /(?<![\p{L}\p{N}'’-])(?<!\b(?:the|this|that|these|not|so|how|too|n't|n’t|his|her|its|their|my|your|our)\s+)(?:very|really|extremely|basically|actually|literally)\s+(?!(?:much|few|little|well|same|end|first|last)\b)(?=\p{Ll})/giu;

const protectedPattern = /“[^”]*”|"[^"]*"|`[^`]*`|https?:\/\/\S+/g;

/** Where quotations, code and addresses stand in a text. */
const protectedSpans = (text: string): (readonly [number, number])[] =>
  Array.from(text.matchAll(protectedPattern), (match) => [
    match.index,
    match.index + match[0].length,
  ]);

const isOutside = (
  spans: readonly (readonly [number, number])[],
  at: number,
  length: number,
): boolean => spans.every(([start, end]) => at >= end || at + length <= start);

const quantities: ReadonlySet<string> = new Set(['many', 'most', 'a few']);
const determinerPattern =
  /^\s+(?:the|these|those|this|that|our|their|his|her|its|my|your|them|us|you|which|whom)\b/i;

/** "a majority of the members" becomes "most of the members", and without the article "most members". */
const replacementFor = (match: RegExpExecArray): string => {
  const replacement = replacements[match[0].toLowerCase().replace(/\s+/g, ' ')] ?? '';
  const rest = match.input.slice(match.index + match[0].length);
  const keepsOf = quantities.has(replacement) && determinerPattern.test(rest);
  return keepsOf ? `${replacement} of` : replacement;
};

/** Every wordy place of a text, from its start to its end. */
export const findWordy = (text: string): Wordy[] => {
  const spans = protectedSpans(text);
  const found: Wordy[] = [];
  for (const match of text.matchAll(wordyPattern)) {
    const [phrase] = match;
    const replacement = replacementFor(match);
    found.push({ at: match.index, length: phrase.length, phrase, replacement });
  }
  for (const match of text.matchAll(fillerPattern)) {
    const phrase = match[0].trimEnd();
    found.push({ at: match.index, length: phrase.length, phrase, replacement: '' });
  }
  return found
    .filter(({ at, length }) => isOutside(spans, at, length))
    .sort((a, b) => a.at - b.at)
    .filter((each, place, all) => {
      const before = all[place - 1];
      return before === undefined || each.at >= before.at + before.length;
    });
};

const legitimateDoubles: ReadonlySet<string> = new Set([
  'had',
  'that',
  'is',
  'so',
  'no',
  'ha',
  'bye',
  'blah',
  'knock',
  'there',
  'hear',
  'tut',
  'yes',
]);

const doubledPattern = /(?<![\p{L}\p{N}'’-])(\p{L}+)(\s+)(\1)(?![\p{L}\p{N}'’-])/giu;

export interface DoubledWord {
  /** Where the second of the two begins, with the space before it. */
  readonly at: number;
  readonly length: number;
  readonly word: string;
}

/** Words that stand twice in a row by mistake. */
export const findDoubled = (text: string): DoubledWord[] => {
  const spans = protectedSpans(text);
  return Array.from(text.matchAll(doubledPattern))
    .filter((match) => {
      const [, first = '', , second = ''] = match;
      // "Bora Bora", "Duran Duran": a second capital is a name.
      if (second[0] !== second[0]?.toLowerCase()) return false;
      return !legitimateDoubles.has(first.toLowerCase());
    })
    .map((match) => ({
      at: match.index + match[1]!.length,
      length: match[2]!.length + match[3]!.length,
      word: match[1]!.toLowerCase(),
    }))
    .filter(({ at, length }) => isOutside(spans, at, length));
};

const irregular =
  'been|begun|bought|broken|brought|built|caught|chosen|cut|done|drawn|driven|eaten|fallen|felt|found|forgotten|given|grown|held|hidden|hit|kept|known|laid|led|left|lit|lost|made|meant|met|paid|put|read|run|said|seen|sent|set|shown|sold|spoken|spent|stolen|struck|taken|taught|thought|thrown|told|understood|won|worn|written';

const passivePattern = new RegExp(
  String.raw`\b(?:am|is|are|was|were|be|been|being)\s+(?:\w+ly\s+)?(?:(?!(?:need|bleed|breed|feed|speed|seed|hundred|red|bed|indeed|naked|wicked|sacred)\b)\w{2,}ed|${irregular})\b`,
  'i',
);

/** Whether a sentence says what is done and not who does it. */
export const isPassive = (sentence: string): boolean => passivePattern.test(sentence);

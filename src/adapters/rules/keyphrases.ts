/**
 * Keyphrases, by the idea of RAKE: runs of words that carry meaning, worth more the more they stand together.
 *
 * 1. A phrase stands in the text as it is given.
 * 2. A phrase within a better one is not given again.
 */
import { isStopWord, stem, wordsOf } from './words.ts';

const phraseWordsMax = 3;

interface Phrase {
  readonly stems: readonly string[];
  readonly forms: Map<string, number>;
  count: number;
  readonly first: number;
}

/** Runs of meaningful words, cut at stop words and punctuation. */
const runsOf = (sentence: string): string[][] => {
  const runs: string[][] = [];
  for (const clause of sentence.split(/[,;:()[\]{}"“”!?…–—/|]|\.(?:\s|$)/)) {
    let run: string[] = [];
    for (const word of wordsOf(clause)) {
      if (isStopWord(word) || !/\p{L}/u.test(word) || word.length < 2) {
        runs.push(run);
        run = [];
      } else run.push(word);
    }
    runs.push(run);
  }
  return runs.filter((run) => run.length > 0);
};

const windowsOf = (run: readonly string[]): string[][] =>
  run.length <= phraseWordsMax
    ? [[...run]]
    : run
        .slice(0, run.length - phraseWordsMax + 1)
        .map((_, at) => run.slice(at, at + phraseWordsMax));

const addPhrase = (phrases: Map<string, Phrase>, words: readonly string[]): void => {
  const stems = words.map(stem);
  const key = stems.join(' ');
  const phrase = phrases.get(key) ?? { stems, forms: new Map(), count: 0, first: phrases.size };
  const form = words.join(' ');
  phrase.count += 1;
  phrase.forms.set(form, (phrase.forms.get(form) ?? 0) + 1);
  phrases.set(key, phrase);
};

/** The form that stands most often; written small where it ever is. */
const shownAs = ({ forms }: Phrase): string => {
  const [first, ...others] = Array.from(forms).sort((a, b) => b[1] - a[1]);
  const small = [first!, ...others].find(([form]) => form === form.toLowerCase());
  return small?.[0] ?? first![0];
};

/** The phrases that say most about the sentences, best first. */
export const keyphrasesOf = (sentences: readonly string[], count: number): string[] => {
  const phrases = new Map<string, Phrase>();
  const frequency = new Map<string, number>();
  const degree = new Map<string, number>();
  for (const run of sentences.flatMap(runsOf)) {
    for (const word of run.map(stem)) {
      frequency.set(word, (frequency.get(word) ?? 0) + 1);
      degree.set(word, (degree.get(word) ?? 0) + Math.min(run.length, phraseWordsMax));
    }
    for (const window of windowsOf(run)) addPhrase(phrases, window);
  }
  const worth = ({ stems, count: times }: Phrase): number => {
    const sum = stems.reduce((total, word) => {
      const often = frequency.get(word) ?? 1;
      return total + (degree.get(word)! / often) * Math.log(1 + often);
    }, 0);
    return (sum / Math.sqrt(stems.length)) * Math.log(1 + times);
  };
  const ranked = Array.from(phrases.values(), (phrase) => ({ phrase, score: worth(phrase) })).sort(
    (a, b) => b.score - a.score || a.phrase.first - b.phrase.first,
  );
  const chosen: Phrase[] = [];
  for (const { phrase } of ranked) {
    if (chosen.length >= count) break;
    const isCovered = chosen.some(
      (better) =>
        phrase.stems.every((word) => better.stems.includes(word)) ||
        better.stems.every((word) => phrase.stems.includes(word)),
    );
    if (!isCovered) chosen.push(phrase);
  }
  return chosen.map(shownAs);
};

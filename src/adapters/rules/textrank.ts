/**
 * TextRank: how central each sentence is, by the words it shares with others.
 *
 * 1. The same sentences get the same scores, on every machine: no randomness, a fixed number of rounds.
 * 2. Work is bounded: of very many sentences the richest are compared, the others score 0.
 */

export interface RankOptions {
  /** Where a reader who follows shared words begins, one weight a sentence. @default the same everywhere */
  readonly bias?: readonly number[];
}

/** Sentences that are compared with one another. */
const comparedMax = 400;
const damping = 0.85;
const rounds = 30;

/** For each word, how rare it is among the sentences. */
const rarityOf = (sentences: readonly ReadonlySet<string>[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const words of sentences) {
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return new Map(
    Array.from(counts, ([word, count]) => [word, Math.log(1 + sentences.length / count)]),
  );
};

const richest = (
  sentences: readonly ReadonlySet<string>[],
  rarity: ReadonlyMap<string, number>,
  bias: readonly number[],
): number[] => {
  const places = sentences.map((_, place) => place);
  if (places.length <= comparedMax) return places;
  // A word that stands in a single sentence connects it with none.
  const alone = Math.log(1 + sentences.length);
  const worth = sentences.map((words, place) => {
    let sum = 0;
    for (const word of words) {
      const rare = rarity.get(word) ?? 0;
      if (rare < alone) sum += rare;
    }
    return (sum / Math.sqrt(1 + words.size)) * (bias[place] ?? 1);
  });
  return places
    .sort((a, b) => worth[b]! - worth[a]! || a - b)
    .slice(0, comparedMax)
    .sort((a, b) => a - b);
};

interface Edge {
  readonly to: number;
  readonly weight: number;
}

const edgesOf = (
  sentences: readonly ReadonlySet<string>[],
  rarity: ReadonlyMap<string, number>,
): Edge[][] => {
  const edges: Edge[][] = sentences.map(() => []);
  for (const [from, words] of sentences.entries()) {
    for (let to = from + 1; to < sentences.length; to += 1) {
      const others = sentences[to]!;
      let shared = 0;
      for (const word of words) if (others.has(word)) shared += rarity.get(word) ?? 0;
      if (shared === 0) continue;
      const weight = shared / (1 + Math.log(words.size) + Math.log(others.size));
      edges[from]!.push({ to, weight });
      edges[to]!.push({ to: from, weight });
    }
  }
  return edges;
};

/** Scores of sentences that are given as their words; they sum up to 1, or are all 0 when there are none. */
export const rankSentences = (
  sentences: readonly (readonly string[])[],
  options: RankOptions = {},
): number[] => {
  const sets = sentences.map((words) => new Set(words));
  const bias = options.bias ?? sentences.map(() => 1);
  const rarity = rarityOf(sets);
  const places = richest(sets, rarity, bias);
  const edges = edgesOf(
    places.map((place) => sets[place]!),
    rarity,
  );
  const weightSums = edges.map((list) => list.reduce((sum, { weight }) => sum + weight, 0));
  const biasSum = places.reduce((sum, place) => sum + (bias[place] ?? 0), 0);
  const starts = places.map((place) =>
    biasSum > 0 ? (bias[place] ?? 0) / biasSum : 1 / places.length,
  );
  let scores = starts;
  for (let round = 0; round < rounds; round += 1) {
    const next = starts.map((start) => (1 - damping) * start);
    for (const [from, list] of edges.entries()) {
      // A sentence that shares nothing passes its score on to where readers begin.
      if (list.length === 0) {
        for (const [to, start] of starts.entries()) next[to]! += damping * scores[from]! * start;
      }
      for (const { to, weight } of list) {
        next[to]! += (damping * scores[from]! * weight) / weightSums[from]!;
      }
    }
    scores = next;
  }
  const all = sentences.map(() => 0);
  for (const [at, place] of places.entries()) all[place] = scores[at]!;
  return all;
};

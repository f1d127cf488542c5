/** The names that a mistyped one probably meant, by Levenshtein distance. */

const distance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost);
    }
    row = next;
  }
  return row[right.length]!;
};

/** A distance as long as the name itself is no resemblance. */
const isNear = (candidate: string, far: number): boolean =>
  far <= Math.max(2, Math.floor(candidate.length / 3)) && far < candidate.length;

const isPart = (name: string, candidate: string): boolean =>
  name !== '' && candidate.includes(name);

/** At most three, the nearest first; a name that has nothing to do with it is left out. */
export const nearestNames = (name: string, names: readonly string[]): string[] =>
  names
    .map((candidate) => ({ candidate, far: distance(name, candidate) }))
    .filter(({ candidate, far }) => isNear(candidate, far) || isPart(name, candidate))
    .toSorted((left, right) => left.far - right.far)
    .slice(0, 3)
    .map(({ candidate }) => candidate);

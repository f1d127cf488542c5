/**
 * The order in which the states of one level are read: from where it begins along its transitions, so that in a drawing
 * from top to bottom only what leads back points upwards.
 */

/** Something between two members of a level; undefined for the state that holds the level. */
interface Between {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface Level<Item extends Between> {
  /** As they are declared. */
  readonly members: readonly string[];
  /** Those it is entered at. */
  readonly first: readonly string[];
  readonly between: readonly Item[];
}

/** Members in reversed postorder of a search in depth: all transitions lead on but those that close a loop. */
const searched = (
  starts: readonly string[],
  next: (member: string) => readonly string[],
  visited: Set<string>,
): string[] => {
  const finished: string[] = [];
  const visit = (member: string): void => {
    if (visited.has(member)) return;
    visited.add(member);
    for (const each of next(member).toReversed()) visit(each);
    finished.push(member);
  };
  for (const each of starts.toReversed()) visit(each);
  return finished.toReversed();
};

/** The members of a level with what is between them, each of that behind the first of its ends. */
export const inReadingOrder = <Item extends Between>(level: Level<Item>): (string | Item)[] => {
  const { members, first, between } = level;
  const next = (member: string): string[] =>
    between.flatMap(({ from, to }) => (from === member && to !== undefined ? [to] : []));
  const visited = new Set<string>();
  const order = [...searched(first, next, visited), ...searched(members, next, visited)];
  const indexOf = new Map(order.map((member, index) => [member, index]));
  const placeOf = ({ from, to }: Item): number => {
    if (from === undefined) return to === undefined ? -1 : indexOf.get(to)! - 1;
    const own = indexOf.get(from)!;
    return to === undefined ? own : Math.min(own, indexOf.get(to)!);
  };
  const behind = (place: number): Item[] => between.filter((item) => placeOf(item) === place);
  return [...behind(-1), ...order.flatMap((member, index) => [member, ...behind(index)])];
};

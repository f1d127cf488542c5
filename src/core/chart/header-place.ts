/**
 * Where the texts of a state stand that has states in it. A line that leads out of it, or in, crosses its header: so
 * they stand beside such lines, as far to the left as there is room.
 */
import type { Box, Line, StateBox } from './chart-boxes.ts';
import type { Place, PlacedChart, Point } from './placed-chart.ts';

const clearance = 8;

type Interval = readonly [from: number, to: number];

/** What a line covers of the width of a band, for each part of it that is in the band. */
const covered = (way: readonly Point[], top: number, bottom: number): Interval[] =>
  way.slice(1).flatMap((to, index) => {
    const from = way[index]!;
    const isOutside = Math.max(from.y, to.y) <= top || Math.min(from.y, to.y) >= bottom;
    return isOutside ? [] : [[Math.min(from.x, to.x), Math.max(from.x, to.x)] as const];
  });

/** @returns by how much the texts move to the right; 0 as well where there is no room for them at all */
export const headerShift = (
  { rows, headerHeight }: StateBox,
  place: Place,
  ways: Iterable<readonly Point[]>,
): number => {
  const texts: Interval = [
    Math.min(...rows.map(({ x }) => x)),
    Math.max(...rows.map(({ x, width }) => x + width)),
  ];
  const lines = [...ways]
    .flatMap((way) => covered(way, place.y, place.y + headerHeight))
    .map(([from, to]): Interval => [from - place.x - clearance, to - place.x + clearance])
    .filter(([from, to]) => to > 0 && from < place.width);
  const isFree = (shift: number): boolean =>
    texts[1] + shift <= place.width - clearance &&
    lines.every(([from, to]) => to <= texts[0] + shift || from >= texts[1] + shift);
  const shifts = [0, ...lines.map(([, to]) => to - texts[0]).filter((shift) => shift > 0)];
  return shifts.sort((a, b) => a - b).find(isFree) ?? 0;
};

const statesOf = (box: Box): StateBox[] =>
  'inside' in box ? [box, ...box.inside.flatMap(statesOf)] : [];

/** A line from a state to one in it begins below its header, not at its upper edge. */
export const outOfHeader = (
  root: StateBox,
  lines: readonly Line[],
  { places, ways }: PlacedChart,
): ReadonlyMap<string, readonly Point[]> => {
  const boxes = new Map(statesOf(root).map((box) => [box.id, box]));
  const shortened = lines.map(({ id, from }) => {
    const way = ways.get(id) ?? [];
    const [first, second] = way;
    const [box, place] = [boxes.get(from), places.get(from)];
    if (!first || !second || !box || !place || box.inside.length === 0) return [id, way] as const;
    const y = place.y + box.headerHeight;
    const isInwards = first.y <= place.y && second.y > y;
    return [id, isInwards ? [{ x: first.x, y }, ...way.slice(1)] : way] as const;
  });
  return new Map(shortened);
};

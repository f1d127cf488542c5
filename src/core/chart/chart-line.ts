/** A line of a chart as SVG. An arrow is a shape of its own: markers do not take the colour of their line everywhere. */
import type { Point } from './placed-chart.ts';
import { element, number } from './svg-element.ts';

const arrowLength = 8;
const cornerRadius = 6;

/** The point on the way from one point to another, at that distance from the other. */
const before = (from: Point, to: Point, distance: number): Point => {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(1, distance / length);
  return { x: to.x + (from.x - to.x) * part, y: to.y + (from.y - to.y) * part };
};

const coordinates = ({ x, y }: Point): string => `${number(x)} ${number(y)}`;

const arrowHead = (from: Point, to: Point): string => {
  const base = before(from, to, arrowLength);
  const across = { x: (to.y - base.y) / 2, y: (base.x - to.x) / 2 };
  const left = { x: base.x + across.x, y: base.y + across.y };
  const right = { x: base.x - across.x, y: base.y - across.y };
  const d = `M${coordinates(to)}L${coordinates(left)}L${coordinates(right)}z`;
  return element('path', { class: 'arrow', d });
};

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

const wayPath = (way: readonly Point[]): string => {
  const corners = way.slice(1, -1).map((corner, index) => {
    const from = way[index]!;
    const to = way[index + 2]!;
    const shortest = Math.min(distance(from, corner), distance(corner, to));
    const radius = Math.min(cornerRadius, shortest / 2);
    const start = before(from, corner, radius);
    const end = before(to, corner, radius);
    return `L${coordinates(start)}Q${coordinates(corner)} ${coordinates(end)}`;
  });
  return `M${coordinates(way[0]!)}${corners.join('')}L${coordinates(way.at(-1)!)}`;
};

/** A line with rounded corners. */
export const lineOf = (way: readonly Point[], hasArrow: boolean): string => {
  const [from, to] = [way.at(-2), way.at(-1)];
  if (from === undefined || to === undefined) return '';
  if (!hasArrow) return element('path', { class: 'line', d: wayPath(way) });
  const shortened = [...way.slice(0, -1), before(from, to, arrowLength - 1)];
  return element('path', { class: 'line', d: wayPath(shortened) }) + arrowHead(from, to);
};

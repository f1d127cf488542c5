/**
 * A placed chart as an SVG document: one file, with its style, without a script or anything to load.
 *
 * 1. Every text from the machine is escaped.
 * 2. The same machine gives the same bytes.
 */
import type { Box, Boxes, LabelBox, StateBox } from './chart-boxes.ts';
import { lineOf } from './chart-line.ts';
import { chartStyle } from './chart-style.ts';
import { headerShift, outOfHeader } from './header-place.ts';
import type { Place, PlacedChart, Point } from './placed-chart.ts';
import { fonts, tagPadding, type Row } from './state-rows.ts';
import { element, escaped, number } from './svg-element.ts';

const titleElement = (title: string): string => element('title', {}, escaped(title));

const rect = (className: string, place: Place, rounded: number): string =>
  element('rect', { class: className, ...place, rx: rounded });

const inset = ({ x, y, width, height }: Place, by: number): Place => ({
  x: x + by,
  y: y + by,
  width: width - 2 * by,
  height: height - 2 * by,
});

const textOf = ({ style, text, ...row }: Row, at: Point, isCentred: boolean): string => {
  const { size, isBold = false } = fonts[style];
  return element(
    'text',
    {
      class: style,
      x: at.x + row.x,
      y: at.y + row.y,
      'font-size': size,
      ...(isBold ? { 'font-weight': 600 } : {}),
      ...(isCentred ? { 'text-anchor': 'middle' } : {}),
    },
    escaped(text),
  );
};

const chip = (row: Row, at: Point): string =>
  rect(
    'chip',
    { x: at.x + row.x - tagPadding, y: at.y + row.y - 13, width: row.width, height: 19 },
    9.5,
  );

/** A triangle that says: this runs. */
const sign = (row: Row, at: Point): string => {
  const x = at.x + row.x - 15;
  const y = at.y + row.y;
  return element('path', {
    class: 'sign',
    d: `M${number(x)} ${number(y - 9)}l8 4.5l-8 4.5z`,
  });
};

const rowsOf = (box: Pick<StateBox, 'rows'>, at: Point): string[] =>
  box.rows.flatMap((row) => [
    ...(row.style === 'tag' ? [chip(row, at)] : []),
    ...(row.hasSign === true ? [sign(row, at)] : []),
    textOf(row, at, false),
  ]);

const historyParts = (box: StateBox, place: Place): string[] => {
  const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
  const text = box.kind === 'deepHistory' ? 'H*' : 'H';
  const row: Row = { style: 'name', text, x: 0, y: 5, width: place.width };
  return [
    element('circle', { class: 'box', cx: middle.x, cy: middle.y, r: place.width / 2 }),
    textOf(row, middle, true),
  ];
};

/** The line between what a state is and the states in it. */
const headerRule = (box: StateBox, { x, y, width }: Place): string =>
  element('path', {
    class: 'rule',
    d: `M${number(x)} ${number(y + box.headerHeight)}h${number(width)}`,
  });

const hasStates = (box: StateBox): boolean => box.inside.length > 0;

const stateParts = (box: StateBox, place: Place, isRegion: boolean): string[] => {
  if (box.kind === 'shallowHistory' || box.kind === 'deepHistory') return historyParts(box, place);
  if (hasStates(box)) {
    return [rect(isRegion ? 'region' : 'frame', place, 10), headerRule(box, place)];
  }
  const inner = box.kind === 'final' ? [rect('inner', inset(place, 4), 5)] : [];
  return [rect('box', place, 8), ...inner, ...rowsOf(box, place)];
};

const labelParts = (box: LabelBox, place: Place): string =>
  element(
    'g',
    {},
    [
      titleElement(box.title),
      rect('pill', place, 9),
      ...box.rows.map((row) => textOf(row, place, true)),
    ].join(''),
  );

const headerTexts = (box: StateBox, { places, ways }: PlacedChart): string => {
  const place = places.get(box.id)!;
  const x = place.x + headerShift(box, place, ways.values());
  return element('g', { class: 'header' }, rowsOf(box, { x, y: place.y }).join(''));
};

interface Layers {
  readonly back: string;
  readonly front: string;
}

/** States behind; in front of the lines what stands on them, and texts that one may cross. */
const layersOf = (box: Box, placed: PlacedChart, isRegion = false): Layers => {
  const place = placed.places.get(box.id)!;
  if (box.kind === 'label') return { back: '', front: labelParts(box, place) };
  if (box.kind === 'initial') {
    const r = place.width / 2;
    const dot = element('circle', { class: 'dot', cx: place.x + r, cy: place.y + r, r });
    return { back: '', front: dot };
  }
  const inside = box.inside.map((each) => layersOf(each, placed, box.kind === 'parallel'));
  const own = [titleElement(box.title), ...stateParts(box, place, isRegion)].join('');
  return {
    back: [element('g', {}, own), ...inside.map(({ back }) => back)].join(''),
    front: [
      hasStates(box) ? headerTexts(box, placed) : '',
      ...inside.map(({ front }) => front),
    ].join(''),
  };
};

const labelIds = (box: Box): string[] => {
  if (box.kind === 'label') return [box.id];
  return box.kind === 'initial' ? [] : box.inside.flatMap(labelIds);
};

export interface Document {
  readonly title: string;
  readonly description: string | undefined;
}

export const chartSvg = (
  { root, lines }: Boxes,
  given: PlacedChart,
  { title, description }: Document,
): string => {
  const labels = new Set(labelIds(root));
  const { width, height } = given;
  const placed = { ...given, ways: outOfHeader(root, lines, given) };
  const { back, front } = layersOf(root, placed);
  const drawn = lines
    .map(({ id, to }) => lineOf(placed.ways.get(id) ?? [], !labels.has(to)))
    .join('');
  const content = [
    titleElement(title),
    description === undefined ? '' : element('desc', {}, escaped(description)),
    element('style', {}, chartStyle),
    rect('canvas', { x: 0, y: 0, width, height }, 0),
    back,
    drawn,
    front,
  ].join('\n');
  const size = { width, height, viewBox: `0 0 ${number(width)} ${number(height)}` };
  const head = { xmlns: 'http://www.w3.org/2000/svg', class: 'ecl-chart', role: 'img', ...size };
  return `${element('svg', head, content)}\n`;
};

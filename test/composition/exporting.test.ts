/** A workflow as an SVG: what a person sees of it, and that it is one document whatever stands in the machine. */
import * as fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { critiqueRevise, documentReview } from '../../machines/index.ts';
import { toWorkflow, type WorkflowLike } from '../../src/authoring/workflow.ts';
import { createElkChartLayout } from '../../src/adapters/elk/chart-layout.ts';
import { chartBoxes, type Box } from '../../src/core/chart/chart-boxes.ts';
import { machineChart } from '../../src/core/chart/machine-chart.ts';
import type { Place, PlacedChart, Point } from '../../src/core/chart/placed-chart.ts';
import { labelText } from '../../src/core/chart/state-rows.ts';
import { exportWorkflow } from '../../src/composition/exporting.ts';
import { anyMachine, everything } from '../core/chart/machines.ts';
import { allElements, readXml, textOf } from '../xml.ts';

const svgOf = (workflow: WorkflowLike): Promise<string> =>
  exportWorkflow('svg', toWorkflow(workflow)) as Promise<string>;

const machines: [string, AnyStateMachine][] = [
  ['critique-revise', critiqueRevise.machine],
  ['document-review', documentReview.machine],
  ['a machine of everything', everything],
];

const boxesOf = (machine: AnyStateMachine) =>
  chartBoxes(machineChart(machine), { title: machine.id, description: machine.root.description });

const inside = (box: Box): readonly Box[] => ('inside' in box ? box.inside : []);
const allBoxes = (box: Box): Box[] => [box, ...inside(box).flatMap(allBoxes)];

/** Touching is not overlapping; rounding is not either. */
const overlap = (a: Place, b: Place): boolean =>
  Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 0.01 &&
  Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 0.01;

const holds = (outer: Place, inner: Place): boolean =>
  inner.x >= outer.x - 0.01 &&
  inner.y >= outer.y - 0.01 &&
  inner.x + inner.width <= outer.x + outer.width + 0.01 &&
  inner.y + inner.height <= outer.y + outer.height + 0.01;

const isOnBorder = ({ x, y }: Point, place: Place): boolean => {
  const right = place.x + place.width;
  const bottom = place.y + place.height;
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.5;
  const within = x > place.x - 0.5 && x < right + 0.5 && y > place.y - 0.5 && y < bottom + 0.5;
  return within && (near(x, place.x) || near(x, right) || near(y, place.y) || near(y, bottom));
};

/** Whether a straight piece of a line leads through a box, not only along its border. */
const crosses = (from: Point, to: Point, box: Place): boolean =>
  overlap(box, {
    x: Math.min(from.x, to.x) - 0.5,
    y: Math.min(from.y, to.y) - 0.5,
    width: Math.abs(from.x - to.x) + 1,
    height: Math.abs(from.y - to.y) + 1,
  });

const crossed = (way: readonly Point[], boxes: readonly Place[]): boolean =>
  way.slice(1).some((to, index) => boxes.some((box) => crosses(way[index]!, to, box)));

/** Everything that is wrong with where things stand. */
const faultsOf = (
  { root, lines }: ReturnType<typeof boxesOf>,
  { width, height, places, ways }: PlacedChart,
): string[] => {
  const faults: string[] = [];
  const placeOf = (id: string): Place => places.get(id)!;
  const canvas = { x: 0, y: 0, width, height };
  for (const box of allBoxes(root)) {
    if (!holds(canvas, placeOf(box.id))) faults.push(`${box.id} leaves the canvas`);
    const children = inside(box);
    for (const [index, child] of children.entries()) {
      const header = { ...placeOf(box.id), height: 'headerHeight' in box ? box.headerHeight : 0 };
      if (!holds(placeOf(box.id), placeOf(child.id))) faults.push(`${child.id} leaves ${box.id}`);
      if (overlap(header, placeOf(child.id))) faults.push(`${child.id} lies on ${box.id}’s texts`);
      for (const other of children.slice(index + 1)) {
        if (overlap(placeOf(child.id), placeOf(other.id))) {
          faults.push(`${child.id} overlaps ${other.id}`);
        }
      }
    }
    if (box.kind === 'initial') continue;
    for (const { text, x, width: wide, y } of box.rows) {
      const left = box.kind === 'label' ? x - wide / 2 : x;
      if (left < 0 || left + wide > box.width || y > box.height)
        faults.push(`"${text}" is clipped`);
    }
  }
  const leaves = allBoxes(root).filter((box) => inside(box).length === 0);
  for (const { id, from, to } of lines) {
    const way = ways.get(id) ?? [];
    if (way.length < 2) faults.push(`${id} is not drawn`);
    else if (!isOnBorder(way[0]!, placeOf(from))) faults.push(`${id} does not begin at ${from}`);
    else if (!isOnBorder(way.at(-1)!, placeOf(to))) faults.push(`${id} does not end at ${to}`);
    const others = leaves.filter((box) => box.id !== from && box.id !== to);
    if (
      crossed(
        way,
        others.map((box) => placeOf(box.id)),
      )
    )
      faults.push(`${id} crosses a box`);
  }
  return faults;
};

describe.each(machines)('the drawing of %s', (_, machine) => {
  test('names every state, step, tag, event, guard and delay', async () => {
    const svg = readXml(await svgOf(machine));
    const texts = allElements(svg)
      .filter(({ name }) => name === 'text')
      .map(textOf)
      .join('');
    const shown = texts.replaceAll(/\s/g, '');
    const chart = machineChart(machine);
    const states = [chart.root, ...machineStates(chart.root)];
    for (const { name, kind, invoked, tags, internal } of states) {
      const words = kind.endsWith('istory') || name === chart.root.name ? [] : [name];
      for (const word of [...words, ...invoked, ...tags, ...internal.map(labelText)]) {
        expect(shown).toContain(word.replaceAll(/\s/g, ''));
      }
    }
    for (const { label } of chart.transitions) {
      if (label !== undefined) expect(shown).toContain(labelText(label).replaceAll(/\s/g, ''));
    }
  });

  test('tells all of it to who cannot see it, and on pointing', async () => {
    const elements = allElements(readXml(await svgOf(machine)));
    const titles = elements.filter(({ name }) => name === 'title').map(textOf);
    const { root, transitions } = machineChart(machine);
    for (const { id } of machineStates(root)) {
      expect(titles.some((title) => title.split('\n')[0] === id)).toBe(true);
    }
    for (const { from, to, label } of transitions) {
      if (label === undefined) continue;
      const title = `${from} → ${to.join(', ')}: ${labelText(label)}`;
      expect(titles.some((each) => each.split('\nactions: ')[0] === title)).toBe(true);
    }
    expect(elements.find(({ name }) => name === 'desc')).toBeDefined();
  });

  test('has each thing in its place', async () => {
    const boxes = boxesOf(machine);
    const layout = await createElkChartLayout();
    expect(faultsOf(boxes, await layout.place(boxes))).toEqual([]);
  });

  test('is the same to the byte, whatever was drawn before', async () => {
    const workflow = toWorkflow(machine);
    const first = await svgOf({ ...workflow });
    for (const [, other] of machines) await svgOf({ ...toWorkflow(other) });
    expect(await svgOf({ ...workflow })).toBe(first);
  });
});

const machineStates = (state: ReturnType<typeof machineChart>['root']): (typeof state)[] =>
  state.states.flatMap((child) => [child, ...machineStates(child)]);

describe('a drawing', () => {
  test('is one file: it loads nothing, runs nothing and styles nothing but itself', async () => {
    const svg = await svgOf(everything);
    const elements = allElements(readXml(svg));
    const names = new Set(elements.map(({ name }) => name));
    expect([...names].toSorted()).toEqual(
      ['circle', 'desc', 'g', 'path', 'rect', 'style', 'svg', 'text', 'title'].toSorted(),
    );
    const attributes = elements.flatMap((each) => Object.keys(each.attributes));
    expect(attributes.filter((name) => /^on|href|src|^id$/i.test(name))).toEqual([]);
    const style = textOf(elements.find(({ name }) => name === 'style')!);
    expect(style).not.toMatch(/url\(|@import|var\(/);
    expect(style).toContain('@media (prefers-color-scheme:dark)');
    const selectors = style.replace(/@media [^{]*\{/, '').match(/[^{}]+(?=\{)/g)!;
    expect(selectors.filter((selector) => !selector.startsWith('.ecl-chart '))).toEqual([]);
  });

  test('shows markup in a description as the text that it is', async () => {
    const svg = await svgOf(everything);
    expect(svg).not.toContain('<script');
    const texts = allElements(readXml(svg)).filter(({ name }) => name === 'text');
    expect(texts.map(textOf).join(' ')).toContain('<script>alert("x")</script>');
  });

  test('has the workflow’s own version and description, whatever its machine says', async () => {
    const [workflow] = [toWorkflow(critiqueRevise)];
    const svg = await svgOf({ ...workflow, version: '9.8.7', description: 'Of another day.' });
    const elements = allElements(readXml(svg));
    expect(elements.filter(({ name }) => name === 'title').map(textOf)[0]).toBe(
      'critique-revise 9.8.7',
    );
    expect(elements.filter(({ name }) => name === 'text').map(textOf)).toContain('Of another day.');
  });

  test('of any machine is well-formed, with each thing in its place', async () => {
    const layout = await createElkChartLayout();
    await fc.assert(
      fc.asyncProperty(anyMachine, async (machine) => {
        readXml(await svgOf(machine));
        const boxes = boxesOf(machine);
        expect(faultsOf(boxes, await layout.place(boxes))).toEqual([]);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 60) },
    );
  });
});

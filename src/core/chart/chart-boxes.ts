/**
 * A chart as boxes with texts in them and lines between them: what a layout needs, and what a drawing is made of.
 *
 * 1. A transition's label is a box of its own, on the line: so no label lies on a state, or on another label.
 * 2. A label stands in the innermost state that holds both ends of its transition.
 * 3. The same chart gives the same boxes, in the same order.
 */
import type { Chart, ChartState, ChartTransition, Label, StateKind } from './machine-chart.ts';
import { inReadingOrder, type Level } from './reading-order.ts';
import { fonts, labelText, stateRows, stateTitle, type Row } from './state-rows.ts';
import { textWidth, wrapText } from './text-fit.ts';

interface BoxSize {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface StateBox extends BoxSize {
  readonly kind: StateKind;
  /** The whole of what is known of it, for who cannot see or hovers over it. */
  readonly title: string;
  readonly rows: readonly Row[];
  /** Height of what stands above the states in it. */
  readonly headerHeight: number;
  readonly inside: readonly Box[];
}

export interface LabelBox extends BoxSize {
  readonly kind: 'label';
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface MarkBox extends BoxSize {
  readonly kind: 'initial';
}

export type Box = StateBox | LabelBox | MarkBox;

/** From one box to another; it has an arrow where it ends at a state. */
export interface Line {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

export interface Boxes {
  readonly root: StateBox;
  readonly lines: readonly Line[];
}

const labelWidthMax = 220;
const historySize = 32;
const markSize = 14;

const labelBox = (id: string, { from, to }: ChartTransition, label: Label): LabelBox => {
  const event = wrapText(label.event, labelWidthMax, fonts.event);
  const guard =
    label.guard === undefined ? [] : wrapText(`[${label.guard}]`, labelWidthMax, fonts.guard);
  const lines = [
    ...event.map((text) => ['event', text] as const),
    ...guard.map((text) => ['guard', text] as const),
  ];
  const width = Math.max(...lines.map(([style, text]) => textWidth(text, fonts[style]))) + 16;
  const rows = lines.map(([style, text], index) => ({
    style,
    text,
    x: width / 2,
    y: 16 + index * 15,
    width: textWidth(text, fonts[style]),
  }));
  const actions = label.actions.length === 0 ? '' : `\nactions: ${label.actions.join(', ')}`;
  const title = `${from} → ${to.join(', ')}: ${labelText(label)}${actions}`;
  return { id, kind: 'label', title, rows, width, height: 8 + lines.length * 15 };
};

/** Something to be placed on a level: where it stands, and between which of its neighbours. */
interface Placing {
  readonly level: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly box: LabelBox;
}

/** Ids of a state and of all that hold it, from the root on. */
const paths = (root: ChartState): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>();
  const visit = (state: ChartState, above: readonly string[]): void => {
    const path = [...above, state.id];
    found.set(state.id, path);
    for (const child of state.states) visit(child, path);
  };
  visit(root, []);
  return found;
};

export interface Heading {
  readonly title: string;
  readonly description: string | undefined;
}

export const chartBoxes = (chart: Chart, heading: Heading): Boxes => {
  const pathOf = paths(chart.root);
  /** Depth of the innermost state that holds all of them; a state holds itself, but for its own self transition. */
  const commonDepth = ({ from, to }: ChartTransition): number => {
    const all = [from, ...to].map((id) => pathOf.get(id)!);
    const shortest = Math.min(...all.map((path) => path.length));
    let depth = 0;
    while (depth < shortest && all.every((path) => path[depth] === all[0]![depth])) depth += 1;
    const isSelf = to.every((id) => id === from);
    return Math.max(0, isSelf ? depth - 2 : depth - 1);
  };
  const labels: Placing[] = [];
  const lines: Line[] = [];
  chart.transitions.forEach((transition, index) => {
    const { from, to, label } = transition;
    if (label === undefined) {
      to.forEach((target, part) => lines.push({ id: `d${index}.${part}`, from, to: target }));
      return;
    }
    const depth = commonDepth(transition);
    const id = `t${index}`;
    labels.push({
      level: pathOf.get(from)![depth]!,
      from: pathOf.get(from)![depth + 1],
      to: pathOf.get(to[0]!)![depth + 1],
      box: labelBox(id, transition, label),
    });
    lines.push({ id: `${id}.from`, from, to: id });
    to.forEach((target, part) => lines.push({ id: `${id}.to${part}`, from: id, to: target }));
  });
  const levelOf = (state: ChartState): Level<Placing> => ({
    members: state.states.map(({ id }) => id),
    first: state.initial.map((id) => pathOf.get(id)![pathOf.get(state.id)!.length]!),
    between: labels.filter(({ level }) => level === state.id),
  });
  const boxOf = (state: ChartState): StateBox => {
    const isRoot = state === chart.root;
    const { id, kind } = state;
    const title = stateTitle(state);
    if (kind === 'shallowHistory' || kind === 'deepHistory') {
      const size = { width: historySize, height: historySize, headerHeight: 0 };
      return { id, kind, title, rows: [], inside: [], ...size };
    }
    const described = isRoot ? { ...state, description: heading.description } : state;
    const stack = stateRows(described, { heading: isRoot ? heading.title : state.name, isRoot });
    const marks: MarkBox[] = state.initial.map((target, index) => {
      const markId = `i${index}.${state.id}`;
      lines.push({ id: `${markId}.to`, from: markId, to: target });
      return { id: markId, kind: 'initial', width: markSize, height: markSize };
    });
    const byId = new Map(state.states.map((each) => [each.id, each]));
    const ordered = inReadingOrder(levelOf(state)).map((each) =>
      typeof each === 'string' ? boxOf(byId.get(each)!) : each.box,
    );
    return {
      id,
      kind,
      title,
      rows: stack.rows,
      width: stack.width,
      height: stack.height,
      headerHeight: stack.height,
      inside: [...marks, ...ordered],
    };
  };
  const root = boxOf(chart.root);
  return { root, lines };
};

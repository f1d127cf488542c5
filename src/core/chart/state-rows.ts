/** What stands in the box of a state: its name, tags, description, invoked steps and actions, one below the other. */
import type { ChartState, Label } from './machine-chart.ts';
import { firstLines, textWidth, wrapText, type Font } from './text-fit.ts';

export type RowStyle = 'title' | 'name' | 'note' | 'invoked' | 'action' | 'tag' | 'event' | 'guard';

/** One line of text, its baseline relative to the box; `x` is its middle where it is centred. */
export interface Row {
  readonly style: RowStyle;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** With some room around it. */
  readonly width: number;
  /** Whether the sign of a step stands before it. */
  readonly hasSign?: true;
}

export const fonts: Readonly<Record<RowStyle, Font>> = {
  title: { size: 18, isBold: true },
  name: { size: 14, isBold: true },
  note: { size: 12 },
  invoked: { size: 12, isBold: true },
  action: { size: 12 },
  tag: { size: 11 },
  event: { size: 12, isBold: true },
  guard: { size: 12 },
};

const padding = 14;
const lineGap = 5;
const groupGap = 8;
/** What stands to the left of an invoked step: its sign. */
export const signWidth = 16;
export const tagPadding = 7;
const tagGap = 6;
const tagHeight = 19;
const textWidthMax = 280;
const titleWidthMax = 520;
const noteLinesMax = 4;

/** Rows with the size of what holds them. */
interface Stack {
  rows: Row[];
  width: number;
  height: number;
}

const push = (stack: Stack, style: RowStyle, text: string, indent = 0): void => {
  const width = textWidth(text, fonts[style]);
  const y = stack.height + fonts[style].size;
  stack.rows.push({ style, text, x: padding + indent, y, width });
  stack.width = Math.max(stack.width, padding + indent + width + padding);
  stack.height = y + lineGap;
};

const pushAll = (stack: Stack, style: RowStyle, texts: readonly string[], indent = 0): void => {
  if (texts.length === 0) return;
  stack.height += groupGap - lineGap;
  for (const text of texts) push(stack, style, text, indent);
};

/** Side by side, as many as fit. */
const pushTags = (stack: Stack, tags: readonly string[], widthMax: number): void => {
  if (tags.length === 0) return;
  let x = padding;
  stack.height += groupGap - lineGap;
  let y = stack.height;
  for (const text of tags) {
    const width = textWidth(text, fonts.tag) + 2 * tagPadding;
    if (x > padding && x + width > padding + widthMax) {
      x = padding;
      y += tagHeight + lineGap;
    }
    stack.rows.push({ style: 'tag', text, x: x + tagPadding, y: y + 13, width });
    x += width + tagGap;
    stack.width = Math.max(stack.width, x - tagGap + padding);
  }
  stack.height = y + tagHeight + lineGap;
};

/** `event [guard]` */
export const labelText = ({ event, guard }: Label): string =>
  guard === undefined ? event : `${event} [${guard}]`;

/** All that is known of a state, for who cannot see the drawing or points at it. */
export const stateTitle = (state: ChartState): string => {
  const parts: readonly [string, readonly string[]][] = [
    ['invokes', state.invoked],
    ['tags', state.tags],
    ['on entry', state.entry],
    ['on exit', state.exit],
    ['stays on', state.internal.map(labelText)],
  ];
  return [
    state.id,
    ...(state.description === undefined ? [] : [state.description]),
    ...parts
      .filter(([, texts]) => texts.length > 0)
      .map(([name, texts]) => `${name}: ${texts.join(', ')}`),
  ].join('\n');
};

/** The texts of a state, from top to bottom. */
export const stateRows = (
  state: ChartState,
  { heading, isRoot }: { heading: string; isRoot: boolean },
): Stack => {
  const stack: Stack = { rows: [], width: 0, height: padding };
  const style = isRoot ? 'title' : 'name';
  const widthMax = isRoot ? titleWidthMax : textWidthMax;
  const wrapped = (texts: readonly string[], of: RowStyle, width = widthMax): string[] =>
    texts.flatMap((text) => wrapText(text, width, fonts[of]));
  for (const line of wrapped([heading], style)) push(stack, style, line);
  pushTags(stack, state.tags, widthMax);
  if (state.description !== undefined) {
    pushAll(stack, 'note', firstLines(wrapped([state.description], 'note'), noteLinesMax));
  }
  for (const name of state.invoked) {
    const index = stack.rows.length;
    pushAll(stack, 'invoked', wrapped([name], 'invoked', widthMax - signWidth), signWidth);
    stack.rows[index] = { ...stack.rows[index]!, hasSign: true };
  }
  const actions = [
    ...state.entry.map((name) => `entry / ${name}`),
    ...state.exit.map((name) => `exit / ${name}`),
    ...state.internal.map((label) => [labelText(label), ...label.actions].join(' / ')),
  ];
  pushAll(stack, 'action', wrapped(actions, 'action'));
  return { ...stack, height: stack.height - lineGap + padding };
};

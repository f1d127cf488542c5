/** How a chart looks, light and dark. Plain rules without variables: many programs that show SVG know no `var()`. */
interface Palette {
  readonly canvas: string;
  readonly frame: string;
  readonly box: string;
  readonly border: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly tag: string;
  readonly tagText: string;
}

const light: Palette = {
  canvas: '#ffffff',
  frame: '#f6f8fb',
  box: '#ffffff',
  border: '#b6c2d1',
  text: '#0f1b2d',
  muted: '#55657a',
  line: '#6b7b91',
  accent: '#4338ca',
  tag: '#fdf0d5',
  tagText: '#7a4a00',
};

const dark: Palette = {
  canvas: '#0d1420',
  frame: '#131c2b',
  box: '#1b2638',
  border: '#43536b',
  text: '#eef3fa',
  muted: '#a5b4c8',
  line: '#8fa0b8',
  accent: '#a9b1ff',
  tag: '#46371a',
  tagText: '#ffd894',
};

const coloursOf = (palette: Palette): readonly (readonly [selector: string, rule: string])[] => [
  ['.canvas', `fill:${palette.canvas}`],
  ['.box', `fill:${palette.box};stroke:${palette.border}`],
  ['.frame', `fill:${palette.frame};stroke:${palette.border}`],
  ['.region', `fill:none;stroke:${palette.border}`],
  ['.inner', `fill:none;stroke:${palette.border}`],
  // The line that crosses a header where there is no way around it stays behind its text.
  ['.header text', `stroke:${palette.frame}`],
  ['.rule', `stroke:${palette.border}`],
  ['.line', `fill:none;stroke:${palette.line}`],
  ['.arrow', `fill:${palette.line}`],
  ['.dot', `fill:${palette.line}`],
  ['.pill', `fill:${palette.canvas};stroke:${palette.border}`],
  ['.chip', `fill:${palette.tag}`],
  ['.sign', `fill:${palette.accent}`],
  ['.title', `fill:${palette.text}`],
  ['.name', `fill:${palette.text}`],
  ['.event', `fill:${palette.text}`],
  ['.invoked', `fill:${palette.accent}`],
  ['.note', `fill:${palette.muted}`],
  ['.action', `fill:${palette.muted}`],
  ['.guard', `fill:${palette.muted}`],
  ['.tag', `fill:${palette.tagText}`],
];

const shapes: readonly (readonly [selector: string, rule: string])[] = [
  [
    'text',
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif",
  ],
  ['rect', 'stroke-width:1.25'],
  ['.region', 'stroke-dasharray:5 4'],
  ['.line', 'stroke-width:1.5'],
  ['.header text', 'paint-order:stroke;stroke-width:4;stroke-linejoin:round'],
];

/** Below the drawing's own class: a drawing that stands in a page styles nothing else of it. */
const sheet = (rules: readonly (readonly [selector: string, rule: string])[]): string =>
  rules.map(([selector, rule]) => `.ecl-chart ${selector}{${rule}}`).join('');

export const chartStyle = [
  sheet(shapes),
  sheet(coloursOf(light)),
  `@media (prefers-color-scheme:dark){${sheet(coloursOf(dark))}}`,
].join('');

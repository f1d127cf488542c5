/**
 * A table of text that fits the terminal: the widest columns give way, and end in an ellipsis. The first one, by which a
 * row is named, stays whole.
 */
import { lengthOf, styled } from './terminal.ts';

const gap = 2;
const columnMin = 8;

const clip = (text: string, width: number): string =>
  lengthOf(text) <= width
    ? text
    : `${Array.from(text)
        .slice(0, Math.max(width - 1, 1))
        .join('')}…`;

/** Takes from the widest columns until the rest fits. */
const fit = (widths: readonly number[], available: number): number[] => {
  const fitted = [...widths];
  let over = fitted.reduce((sum, width) => sum + width, 0) - available;
  while (over > 0) {
    const widest = fitted.lastIndexOf(Math.max(...fitted.slice(1)));
    if (widest < 1 || fitted[widest]! <= columnMin) break;
    fitted[widest]! -= 1;
    over -= 1;
  }
  return fitted;
};

/**
 * @param rows cells in the order of the header
 * @param width of the terminal
 */
export const table = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] => {
  const natural = header.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(lengthOf)),
  );
  const widths = fit(natural, width - gap * (header.length - 1));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const clipped = clip(cell, widths[column]!);
        return clipped + ' '.repeat(Math.max(widths[column]! - lengthOf(clipped), 0));
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [styled('dim', line(header)), ...rows.map(line)];
};

/**
 * Text of others as parts of a Markdown document: whatever a model or a file says, the document keeps its shape, and
 * nothing in it loads a picture or runs.
 */

/** Marks that would begin HTML, a picture or an escape of their own are written out. */
const tame = (text: string): string =>
  text.replace(/<(?=[A-Za-z!/?])/g, '&lt;').replaceAll('![', '!\\[');

/** An odd backtick would open a code span up to the next one in the document. */
const balanced = (text: string): string =>
  (text.match(/`/g) ?? []).length % 2 === 0 ? text : text.replaceAll('`', '\\`');

/** One line; a mark that would make it a heading, a list or a quotation loses its meaning. */
export const oneLine = (text: string): string =>
  balanced(tame(text.replace(/\s+/g, ' ').trim()))
    .replace(/^([#>+*-]|~{3,}|={3,})/, '\\$1')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/, '$1\\$2');

/** Paragraphs, each on a line of its own. */
export const paragraphs = (text: string): string =>
  text
    .split(/\n\s*\n/)
    .map(oneLine)
    .filter((line) => line !== '')
    .join('\n\n');

const cell = (text: string): string => oneLine(text).replaceAll('|', '\\|');

export const table = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string => {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((each) => (typeof each === 'number' ? String(each) : cell(each))).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
};

export const quotation = (text: string): string => `> ${oneLine(text)}`;

/**
 * Reads a configuration file: YAML, with the line and column of every key kept for messages.
 *
 * It knows nothing of what may stand in it; a key that stands there twice is refused, since one of the two would be lost.
 */
import { readFile } from 'node:fs/promises';
import type { Document, LineCounter, Node, Pair } from 'yaml';
import { EclError } from '../../core/errors.ts';
import { unreadableFile } from '../../core/unreadable-file.ts';

export interface ConfigFile {
  /** As it was named. */
  readonly path: string;
  readonly value: unknown;
  /** `path:line:column` of a value, or of the nearest one above it that stands in the file. */
  locate(keys: readonly PropertyKey[]): string;
}

type Keys = readonly PropertyKey[];

/** Where the key itself stands, which is what a person looks for. */
const keyOffset = (document: Document, keys: Keys): number | undefined => {
  const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  const items = (parent as { items?: unknown[] } | undefined)?.items ?? [];
  const last = keys.at(-1);
  const pair = items.find(
    (item) => ((item as Pair).key as { value?: unknown } | undefined)?.value === last,
  ) as Pair<Node> | undefined;
  const node = pair?.key ?? (document.getIn(keys, true) as Node | undefined);
  return node?.range?.[0];
};

const locator =
  (path: string, document: Document, lines: LineCounter) =>
  (keys: Keys): string => {
    for (let length = keys.length; length > 0; length -= 1) {
      const offset = keyOffset(document, keys.slice(0, length));
      if (offset === undefined) continue;
      const { line, col } = lines.linePos(offset);
      return `${path}:${line}:${col}`;
    }
    return path;
  };

/**
 * @param path where to read; the error names it as it is given
 * @returns undefined when there is no such file
 * @throws EclError `config.invalid` for what is no YAML, `input.file-missing` for what cannot be read
 */
export const readConfigFile = async (path: string): Promise<ConfigFile | undefined> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unreadableFile(path, error);
  }
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    const issues = `${path}:${line}:${col}: ${error.message}`;
    throw new EclError('config.invalid', { issues, list: [{ path: '', message: issues }] });
  }
  return { path, value: document.toJS() as unknown, locate: locator(path, document, lines) };
};

/** Says what went wrong and what to do next: text for people, one document for programs. */
import { EclError, isEclError, toErrorDocument, type ErrorDocument } from '../core/errors.ts';
import { styled, type Terminal } from './terminal.ts';

type Hint = string | ((details: Readonly<Record<string, unknown>>) => string);

const hints: Partial<Record<EclError['code'], Hint>> = {
  'config.invalid': 'Keys and variables are described in docs/cli.md.',
  'input.invalid':
    'Give it as key=value, --input JSON or --input-file FILE; `ecl workflows` shows the fields.',
  'workflow.not-found': '`ecl workflows` shows what there is; a file is given as ./my-flow.ts.',
  'run.not-found': '`ecl list` shows the runs of this store.',
  'run.key-conflict': 'Take another --key, or --new for a fresh one.',
  'run.blocked': 'Bring back the workflow it was started with, then repeat the command.',
  'run.quarantined': '`ecl verify` shows both sides. With the machine mended: `ecl resume`.',
  'store.locked':
    'Wait for that process, or end it. Reading works meanwhile: status, list, events, verify, doctor.',
  'model.credentials': 'Mend the key or the account, then `ecl resume`.',
  'store.damaged': 'Keep a copy of the folder, and restore events.db from a backup.',
  'store.corrupt': '`ecl verify` shows what can still be read. Restore the store from a backup.',
  'store.newer-format': 'Update ECL; nothing was changed.',
  'store.not-durable': '`ecl doctor` shows what was read back.',
};

const hintOf = (error: EclError): string | undefined => {
  const hint = hints[error.code];
  return typeof hint === 'function' ? hint(error.details) : hint;
};

/** An error that is none of the catalogue is a fault in ECL, or in a module that it loaded. */
export const errorDocument = (error: unknown): ErrorDocument =>
  isEclError(error) ? error.toJSON() : { ...toErrorDocument(error), code: 'unexpected' };

interface Issue {
  readonly path?: unknown;
  readonly message?: unknown;
}

/** Issues of an input or a configuration, one a line. */
const issueLines = (error: EclError): string[] | undefined => {
  const list = error.details['list'];
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return (list as Issue[]).map(({ path, message }) =>
    path === '' ? `  ${String(message)}` : `  ${String(path)}: ${String(message)}`,
  );
};

const withoutIssues = (error: EclError): string => {
  const { issues } = error.details;
  return typeof issues === 'string' ? error.message.replace(issues, '').trimEnd() : error.message;
};

export const reportError = (terminal: Terminal, error: unknown): void => {
  const document = errorDocument(error);
  const lines: string[] = [];
  if (isEclError(error)) {
    const issues = issueLines(error);
    lines.push(issues === undefined ? error.message : withoutIssues(error), ...(issues ?? []));
    const hint = hintOf(error);
    if (hint !== undefined) lines.push(styled('dim', hint));
  } else {
    lines.push(error instanceof Error ? (error.stack ?? error.message) : document.message);
  }
  terminal.error(`${styled('red', 'error:')} ${lines.join('\n')}`, document);
};

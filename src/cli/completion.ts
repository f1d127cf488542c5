/**
 * What a shell offers behind a word: commands, options, and names out of the store.
 *
 * 1. The commands and options are those of the program itself, so nothing is listed twice.
 * 2. Names are looked up only where one is asked for: the words are read twice, and the first time says what is missing.
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { RootCommand, type Complete } from '@bomb.sh/tab';
import type { Command as Program } from 'commander';
import { exportFormats } from '../core/export-formats.ts';
import { journalEventTypes } from '../core/journal-events.ts';
import { runStatuses } from '../core/run-statuses.ts';

/** Names that only the store or the workflows know. */
export type NameKind = 'run' | 'workflow' | 'event';

export interface Name {
  readonly value: string;
  readonly description: string;
}

/** Finds names; `run` is the run that the words before name, where an event is asked for. */
export type FindNames = (kind: NameKind, run: string | undefined) => Promise<readonly Name[]>;

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

const nameKinds: readonly NameKind[] = ['run', 'workflow', 'event'];

/** What an option takes that is no name of anything: its values. */
const values: Readonly<Record<string, readonly string[]>> = {
  type: journalEventTypes,
  status: runStatuses,
  level: ['info', 'warn', 'error'],
  format: exportFormats,
  scope: ['read', 'write', 'admin'],
};

/** Options whose values are names. */
const namedBy: Readonly<Record<string, NameKind>> = { workflow: 'workflow', parent: 'run' };

type Offer = (kind: NameKind, complete: Complete) => void;

const optionHandler = (name: string, offer: Offer): ((complete: Complete) => void) => {
  const kind = namedBy[name];
  if (kind !== undefined) return (complete) => offer(kind, complete);
  return (complete) => {
    for (const value of values[name] ?? []) complete(value, '');
  };
};

const addOptions = (
  to: { option: RootCommand['option'] },
  program: Program,
  offer: Offer,
): void => {
  for (const { long, short, description, required, optional } of program.options) {
    const name = long?.replace(/^--/, '');
    if (name === undefined) continue;
    const alias = short?.replace(/^-/, '');
    if (required || optional) to.option(name, description, optionHandler(name, offer), alias);
    else if (alias === undefined) to.option(name, description);
    else to.option(name, description, alias);
  }
};

const describe = (program: Program, offer: Offer): RootCommand => {
  const root = new RootCommand();
  addOptions(root, program, offer);
  for (const command of program.commands) {
    const made = root.command(command.name(), command.summary());
    addOptions(made, command, offer);
    addOptions(made, program, offer);
    for (const argument of command.registeredArguments) {
      const kind = nameKinds.find((each) => each === argument.name());
      made.argument(
        argument.name(),
        kind === undefined ? undefined : (complete) => offer(kind, complete),
        argument.variadic,
      );
    }
  }
  return root;
};

/** What is printed while `work` runs: the library prints what it finds. */
const printedBy = (work: () => void): string => {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  const before = globalThis.console;
  globalThis.console = new Console(stream, stream);
  try {
    work();
  } finally {
    globalThis.console = before;
  }
  return text;
};

/** The word behind a command's name that names its run. */
const runIn = (words: readonly string[], program: Program): string | undefined => {
  const at = words.findIndex((word) => program.commands.some((each) => each.name() === word));
  return at === -1 ? undefined : words[at + 1];
};

/**
 * The answer to a shell, in the protocol of its script: a line for each word that fits.
 *
 * @param words those behind the program's name; the last one is the one to be completed, and may be empty
 */
export const completions = async (
  program: Program,
  words: readonly string[],
  find: FindNames,
): Promise<string> => {
  const asked = new Set<NameKind>();
  printedBy(() => describe(program, (kind) => asked.add(kind)).parse([...words]));
  const found = new Map<NameKind, readonly Name[]>();
  for (const kind of asked) found.set(kind, await find(kind, runIn(words, program)));
  const offer: Offer = (kind, complete) => {
    for (const { value, description } of found.get(kind) ?? []) complete(value, description);
  };
  return printedBy(() => describe(program, offer).parse([...words]));
};

/** The script that a shell sources once. */
export const completionScript = (shell: Shell, name: string): string =>
  printedBy(() => new RootCommand().setup(name, name, shell));

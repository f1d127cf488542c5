/** `ecl complete`: completion for shells, of commands, options, runs, workflows, and events that a run takes now. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import type { Name, NameKind } from '../completion.ts';
import type { Act, Context } from '../context.ts';

const examples = `
Examples:
  source <(ecl complete bash)                                in ~/.bashrc
  source <(ecl complete zsh)                                 in ~/.zshrc
  ecl complete fish > ~/.config/fish/completions/ecl.fish    once

It completes commands and options, ids of runs, names of workflows, and behind \`ecl signal <run>\` the events that the run
takes now. The script calls \`ecl complete -- <words>\` for each press of the tab key.`;

export const declareComplete = (program: Command, act: Act): void => {
  const isAsked = (): boolean =>
    (program as unknown as { rawArgs: readonly string[] }).rawArgs.includes('--');
  program
    .command('complete')
    .summary('complete commands and names in your shell')
    .description(
      'Prints the script that makes a shell complete commands, runs, workflows and events.',
    )
    .argument('[words...]', 'bash, zsh, fish or powershell')
    .addHelpText('after', examples)
    .action(
      act((context, _, words) =>
        isAsked()
          ? answer(context, program, words as readonly string[])
          : script(context, words as readonly string[]),
      ),
    );
};

const script = async ({ terminal }: Context, words: readonly string[]): Promise<number> => {
  const { completionScript, shells } = await import('../completion.ts');
  const shell = shells.find((each) => each === words[0]);
  if (shell === undefined || words.length > 1) {
    const reason = `complete takes one of ${shells.join(', ')}`;
    throw new EclError('usage.invalid', { reason });
  }
  terminal.raw(completionScript(shell, 'ecl'));
  return 0;
};

const namesMax = 1_000;

/** The flags that stand among the words: they say where to look. */
const flagsIn = (words: readonly string[]): Record<string, string> => {
  const flags: Record<string, string> = {};
  for (const name of ['store', 'config', 'server']) {
    const at = words.lastIndexOf(`--${name}`);
    const value = words[at + 1];
    if (at !== -1 && value !== undefined && value !== '') flags[name] = value;
  }
  return flags;
};

const namesOf = async (
  context: Context,
  kind: NameKind,
  run: string | undefined,
): Promise<Name[]> => {
  if (kind === 'workflow') {
    const { openLibrary } = await import('../open.ts');
    const { library } = await openLibrary(context);
    const all = await library.all();
    return all.map(({ workflow: { id, version }, origin }) => ({
      value: id,
      description: `${version}, ${origin}`,
    }));
  }
  const { withRuns } = await import('../open-runs.ts');
  const names: Name[] = [];
  await withRuns(context, { access: 'read' }, async ({ runs }) => {
    if (kind === 'run') {
      const { items } = await runs.list({ limit: namesMax });
      for (const { id, status } of items) names.push({ value: id, description: status });
    } else if (run !== undefined) {
      const { waitingFor } = await (await runs.get(run)).document();
      for (const { event } of waitingFor) {
        if (event !== 'timer') names.push({ value: event, description: 'possible now' });
      }
    }
    return 0;
  });
  return names;
};

/** A shell that asks must never see an error: where nothing can be found there is nothing to offer. */
const answer = async (
  context: Context,
  program: Command,
  words: readonly string[],
): Promise<number> => {
  const { completions } = await import('../completion.ts');
  const { Terminal } = await import('../terminal.ts');
  // What goes wrong, and warnings of modules, would stand in the line that the person types.
  const quiet = new Terminal({ json: true });
  const asking = { ...context, terminal: quiet, flags: { ...context.flags, ...flagsIn(words) } };
  const find = (kind: NameKind, run: string | undefined): Promise<Name[]> =>
    namesOf(asking, kind, run).catch(() => []);
  context.terminal.raw(await completions(program, words, find));
  return 0;
};

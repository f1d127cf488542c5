/** `ecl run`: starts a run, or goes on with the one that has the same key, and stays until it rests. */
import type { Command } from 'commander';
import { EclError } from '../../core/errors.ts';
import type { Act, Context } from '../context.ts';
import type { Follow } from '../follow.ts';
import type { FoundWorkflow } from '../../composition/workflow-library.ts';
import type { OpenedRuns, RunControl } from '../runs.ts';

interface Options {
  readonly input?: string;
  readonly inputFile?: string;
  readonly key?: string;
  readonly new?: boolean;
  readonly tenant?: string;
  readonly detach?: boolean;
}

const examples = `
Examples:
  ecl run critique-revise topic="the sea"
  ecl run ./my-flow.ts topic="the sea" --key sea-1
  ecl run document-review files=a.md files=b.md instructions="What was decided?"
  ecl run document-review --input-file input.json --json

The input is read by the workflow's schema: a key that is repeated fills an array, numbers and booleans are
converted, and where the schema says file() a path is read. The same workflow and input is the same run:
repeating the command goes on with it. \`--new\` makes another one.`;

export const declareRun = (program: Command, act: Act): void => {
  program
    .command('run')
    .summary('start a run and stay until it rests')
    .description('Starts a run of a workflow, or goes on with it, and stays until it rests.')
    .argument('<workflow>', 'name of a workflow, or a file: ./my-flow.ts, ./my-flow.ts#name')
    .argument('[input...]', 'key=value')
    .option('--input <json>', 'the whole input as JSON')
    .option('--input-file <file>', 'the whole input as a JSON file; - reads standard input')
    .option('--key <key>', 'names the run; the same key and input is the same run')
    .option('--new', 'a run of its own, whatever ran before')
    .option('--tenant <tenant>', 'whose run it is')
    .option('--detach', 'store the start and leave the work to another command')
    .addHelpText('after', examples)
    .action(act<Options>(run));
};

const run = async (
  context: Context,
  options: Options,
  ...[target, pairs]: readonly (string | readonly string[] | undefined)[]
): Promise<number> => {
  if (options.key !== undefined && options.new === true) {
    const reason = '--key names a run and --new makes one up: give one of them';
    throw new EclError('usage.invalid', { reason });
  }
  const { withRuns } = await import('../open-runs.ts');
  const detach = options.detach === true;
  return withRuns(context, { access: 'write', leaveWork: detach }, async (opened) => {
    const workflow = await opened.library.find(String(target));
    const start = await starter(opened, workflow, {
      target: String(target),
      pairs: pairs as readonly string[],
      options,
    });
    if (detach) return showStarted(context, await start());
    const { Follow } = await import('../follow.ts');
    const follow = new Follow(context.terminal, opened.runs, {
      workflow: workflow.workflow.id,
      tenant: options.tenant,
    });
    return driveFrom(context, opened, { start, follow, target: String(target), options, pairs });
  });
};

/** Reads the input, and gives what starts the run. */
const starter = async (
  opened: OpenedRuns,
  found: FoundWorkflow,
  { target, pairs, options }: { target: string; pairs: readonly string[]; options: Options },
): Promise<() => Promise<RunControl>> => {
  const { readInput } = await import('../read-input.ts');
  const input = await readInput(found.workflow.input, pairs, options);
  return () =>
    opened.start(found, target, {
      input,
      fresh: options.new ?? false,
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    });
};

const showStarted = async (context: Context, handle: RunControl): Promise<number> => {
  const { terminal } = context;
  const document = await handle.document();
  terminal.document(document);
  const { id, status } = document;
  terminal.print(`${id} is ${status}.`);
  const goOn = status === 'running' ? 'resume' : 'status';
  terminal.print(`Go on with it: ${context.commandLine(goOn, id)}`);
  return 0;
};

interface Driven {
  readonly start: () => Promise<RunControl>;
  readonly follow: Follow;
  readonly target: string;
  readonly options: Options;
  readonly pairs: string | readonly string[] | undefined;
}

const driveFrom = async (
  context: Context,
  opened: OpenedRuns,
  { start, follow, target, options, pairs }: Driven,
): Promise<number> => {
  const { stopAsked } = await import('../stop-signals.ts');
  const startedAt = Date.now();
  const asked = stopAsked();
  let handle: RunControl;
  try {
    handle = await start();
  } catch (error) {
    await follow.stop();
    throw error;
  }
  const before = await handle.document();
  const isThere = Date.parse(before.startedAt) < startedAt;
  if (isThere) {
    context.terminal.progress(`  going on with ${before.id}, started ${before.startedAt}`);
  }
  const { drive } = await import('../drive.ts');
  const goOn = commandAgain(
    context,
    { target, pairs: pairs as readonly string[], options },
    before.id,
  );
  return drive(context, opened, handle, {
    follow,
    asked,
    known: isThere ? before.revision : undefined,
    goOn,
  });
};

/** The command that leads to the same run: a fresh key is a key by now. */
const commandAgain = (
  context: Context,
  { target, pairs, options }: { target: string; pairs: readonly string[]; options: Options },
  id: string,
): string => {
  const key = options.new === true ? id.split('.').at(-1) : options.key;
  return context.commandLine(
    'run',
    target,
    ...pairs,
    ...(options.input === undefined ? [] : ['--input', options.input]),
    ...(options.inputFile === undefined ? [] : ['--input-file', options.inputFile]),
    ...(key === undefined ? [] : ['--key', key]),
    ...(options.tenant === undefined ? [] : ['--tenant', options.tenant]),
  );
};

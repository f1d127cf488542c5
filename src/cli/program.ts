/**
 * The program: its commands and the options they share, and how it ends.
 *
 * Nothing of ECL is loaded here: a command imports what it needs when it runs, so that help and version are quick.
 */
import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { EclError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import { declareCancel } from './commands/cancel.ts';
import { declareComplete } from './commands/complete.ts';
import { declareCopy } from './commands/copy.ts';
import { declareDoctor } from './commands/doctor.ts';
import { declareEvents } from './commands/events.ts';
import { declareExport } from './commands/export.ts';
import { declareGateway } from './commands/gateway.ts';
import { declareInit } from './commands/init.ts';
import { declareList } from './commands/list.ts';
import { declareLogs } from './commands/logs.ts';
import { declareResume } from './commands/resume.ts';
import { declareRun } from './commands/run.ts';
import { declareServe } from './commands/serve.ts';
import { declareSignal } from './commands/signal.ts';
import { declareStatus } from './commands/status.ts';
import { declareTrace } from './commands/trace.ts';
import { declareToken } from './commands/token.ts';
import { declareVerify } from './commands/verify.ts';
import { declareWorkflows } from './commands/workflows.ts';
import { quoted } from './format.ts';
import { createAct, type Context, type GlobalFlags } from './context.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { reportError } from './report-error.ts';
import { Terminal, type TerminalStream } from './terminal.ts';

const about =
  'Runs AI workflows that must be right: each step checks the one before it, loops have a bound, ' +
  'a run survives every crash, and each decision can be traced.';

const examples = `
Start here:
  ecl workflows                              what can be run
  ecl run critique-revise topic="the sea"    run it
  ecl list                                   what ran
  ecl init my-project                        a project of your own

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 unavailable, 6 waits for you,
130 and 143 left by a signal with the run durable.`;

const version = (): string => {
  const { version: text } = createRequire(import.meta.url)('ecl/package.json') as {
    version: string;
  };
  return text;
};

const declarations = [
  declareRun,
  declareServe,
  declareGateway,
  declareStatus,
  declareTrace,
  declareLogs,
  declareList,
  declareEvents,
  declareSignal,
  declareCancel,
  declareResume,
  declareVerify,
  declareCopy,
  declareToken,
  declareWorkflows,
  declareExport,
  declareDoctor,
  declareInit,
  declareComplete,
];

/** Commands that ask the model. */
const driving = ['run', 'serve', 'signal', 'resume'];

const commandLine =
  ({ store, server, config, model }: GlobalFlags, name: string): Context['commandLine'] =>
  (...rest) => {
    const flags = [
      ...(model === undefined || !driving.includes(rest[0]!) ? [] : ['--model', model]),
      ...(store === undefined ? [] : ['--store', store]),
      ...(server === undefined ? [] : ['--server', server]),
      ...(config === undefined ? [] : ['--config', config]),
    ];
    return [name, ...[...rest, ...flags].map(quoted)].join(' ');
  };

export interface Streams {
  readonly stdout?: TerminalStream;
  readonly stderr?: TerminalStream;
}

const createContext = async (flags: GlobalFlags, streams: Streams): Promise<Context> => {
  const { environment } = await import('../config.ts');
  const { noColor, isNpx } = environment();
  const terminal = new Terminal({ json: flags.json === true, noColor, ...streams });
  return { terminal, flags, commandLine: commandLine(flags, isNpx ? 'npx ecl' : 'ecl') };
};

/** The program with all its commands; `done` gets the exit code of the one that ran. */
export const createProgram = (done: (exitCode: number) => void, streams: Streams = {}): Command => {
  const program = new Command('ecl')
    .description(about)
    .version(version(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document and nothing else (JSON lines for events)')
    .option('--store <store>', 'where runs are kept: sqlite:<folder> (default sqlite:.ecl)')
    .option('--server <url>', 'a server that has the runs, in place of a store')
    .option(
      '--model <model>',
      'anthropic:<model>, openai-compatible:<url>#<model>, rules, scripted:<file>',
    )
    .option('--config <file>', 'another configuration file than ecl.yaml')
    .addOption(
      new Option('--log-level <level>', 'what is logged on stderr').choices([
        'debug',
        'info',
        'warn',
        'error',
        'silent',
      ]),
    )
    .addHelpText('after', examples)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      outputError: () => {},
      // Help that nobody asked for.
      writeErr: () => {},
      ...(streams.stdout === undefined
        ? {}
        : { writeOut: (text: string) => streams.stdout!.write(text) }),
    });
  const act = createAct((flags) => createContext(flags, streams), done);
  for (const declare of declarations) declare(program, act);
  return program;
};

/** What commander says of wrong arguments, as an error of the catalogue. */
const usageError = ({ message }: CommanderError): EclError => {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const reason = [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(' ').trim();
  return new EclError('usage.invalid', { reason });
};

/** Commander answers with its help where it knows no command to help with. */
const noCommand = (program: Command): EclError => {
  const [, name] = program.args;
  if (name === undefined) {
    return new EclError('usage.invalid', { reason: 'Name a command; `ecl help` lists them' });
  }
  const [nearest] = nearestNames(
    name,
    program.commands.map((command) => command.name()),
  );
  const meant = nearest === undefined ? '; `ecl help` lists them' : ` (Did you mean ${nearest}?)`;
  return new EclError('usage.invalid', { reason: `Unknown command '${name}'${meant}` });
};

const isHelpUnasked = ({ code, exitCode }: CommanderError): boolean =>
  code === 'commander.help' && exitCode !== 0;

const endedWell = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** What is said of `error`, or undefined when it is none. */
const reportedError = (error: unknown, program: Command): unknown => {
  if (!(error instanceof CommanderError)) return error;
  if (isHelpUnasked(error)) return noCommand(program);
  return endedWell.has(error.code) ? undefined : usageError(error);
};

/**
 * Runs the program.
 *
 * @param args without the node binary and the script
 * @param streams in place of the process's own
 * @returns the exit code
 */
export const main = async (args: readonly string[], streams: Streams = {}): Promise<number> => {
  let exitCode: number = exitCodes.done;
  const program = createProgram((code) => {
    exitCode = code;
  }, streams);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    const reported = reportedError(error, program);
    if (reported === undefined) return exitCodes.done;
    const { terminal } = await createContext({ json: args.includes('--json') }, streams);
    reportError(terminal, reported);
    await terminal.flush();
    return exitCodeOfError(reported);
  }
};

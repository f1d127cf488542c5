#!/usr/bin/env node
/** The entry of the command line. */
import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { installStopSignals } from './stop-signals.ts';

const args = process.argv.slice(2);

/** Asked often, by scripts too: it loads nothing. */
const isVersionOnly = args.length === 1 && ['-V', '--version'].includes(args[0]!);

const run = async (): Promise<number> => {
  // Stdout is for results: what a user's module prints goes where progress goes.
  globalThis.console = new Console(process.stderr, process.stderr);
  installStopSignals();
  // A reader that goes away is no error; whoever writes looks whether anybody reads.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { main } = await import('./program.ts');
  return main(args);
};

if (isVersionOnly) {
  const { version } = createRequire(import.meta.url)('ecl/package.json') as { version: string };
  process.stdout.write(`${version}\n`);
} else {
  const exitCode = await run();
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  // What a user's module left open must not keep the process.
  process.exit(exitCode);
}

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
  const { main } = await import('./program.ts');
  return main(args);
};

if (isVersionOnly) {
  const { version } = createRequire(import.meta.url)('ecl/package.json') as { version: string };
  process.stdout.write(`${version}\n`);
} else {
  const exitCode = await run();
  // What a user's module left open must not keep the process.
  process.exit(exitCode);
}

#!/usr/bin/env node
/** The entry of the command line. */
import { Console } from 'node:console';
import { main } from './program.ts';
import { installStopSignals } from './stop-signals.ts';

// Stdout is for results: what a user's module prints goes where progress goes.
globalThis.console = new Console(process.stderr, process.stderr);

installStopSignals();
const exitCode = await main(process.argv.slice(2));
// What a user's module left open must not keep the process.
process.exit(exitCode);

#!/usr/bin/env node
// Runs the scenarios against a server and writes what it answered, one JSON line a step.
import { createWriteStream } from 'node:fs';
import { parseArguments, runAll } from './lib/scenarios.mjs';

const { url, out, only, group } = parseArguments(
  process.argv.slice(2),
  'run.mjs <url> [--out FILE] [--group GROUP] [--only PART_OF_NAME]',
);
const sink = out ? createWriteStream(out) : process.stdout;
let steps = 0;
const started = Date.now();
const scenarios = await runAll(url, { only, group }, ({ name }, lines) => {
  steps += lines.length;
  sink.write(`${lines.join('\n')}\n`);
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}`);
});
process.stderr.write(
  `${process.stderr.isTTY ? '\r\x1b[K' : ''}${scenarios} scenarios, ${steps} steps, ${((Date.now() - started) / 1000).toFixed(0)} s\n`,
);
if (out) await new Promise((resolve) => sink.end(resolve));
process.exit(0);

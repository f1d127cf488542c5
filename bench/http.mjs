/**
 * `npm run bench:http [-- --seconds N]`: starts runs at a server (`ecl serve`, a process of its own, durability FULL) over
 * HTTP, one at a time and at 64 connections, and prints one JSON line a measurement. An answer is given when the first
 * event of its run is durable, so the time of a request is the time to that. On a machine that others use as well, read the
 * processor time of the server for a start before the figure.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantile, rounded } from './measure.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const measuredMs = Number(values.seconds) * 1_000;
const warmUpMs = Math.min(3_000, measuredMs / 2);
const bin = join(dirname(fileURLToPath(import.meta.url)), '../dist/src/cli/bin.js');

/** It starts, and waits: what is measured is the start, whatever steps cost. */
const flow = `
import { setup } from 'xstate';
export const machine = setup({}).createMachine({
  id: 'wait', version: '1.0.0', initial: 'open',
  states: { open: { on: { closed: 'done' } }, done: { type: 'final' } },
});
`;

const startServer = async (folder) => {
  await writeFile(join(folder, 'wait.mjs'), flow);
  await writeFile(join(folder, 'ecl.yaml'), 'machines: [wait.mjs]\nmodel: rules\n');
  const server = spawn(process.execPath, [bin, 'serve', '--port', '0', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    server.stdout.once('data', resolve);
    server.once('exit', (code) => reject(new Error(`ecl serve ended with ${code}`)));
  });
  const { url, token } = JSON.parse(await readFile(join(folder, '.ecl/server.json'), 'utf8'));
  return { server, url, token };
};

/** Sends a start; resolves with its milliseconds. */
const startRun = ({ url, token }, agent, key) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ workflow: 'wait', key });
    const began = performance.now();
    const sent = request(
      `${url}/api/v1/runs`,
      {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => {
          if (answer.statusCode === 201) resolve(performance.now() - began);
          else reject(new Error(`a start was answered with ${answer.statusCode}`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });

let runs = 0;

/** Processor time that the server has used, in microseconds; Linux alone tells of another process. */
const cpuOf = async ({ server }) => {
  try {
    const fields = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return undefined;
  }
};

const measure = async (at, connections, milliseconds) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies = [];
  const cpuBefore = await cpuOf(at);
  const began = performance.now();
  const until = began + milliseconds;
  const client = async () => {
    while (performance.now() < until) {
      runs += 1;
      latencies.push(await startRun(at, agent, `run-${runs}`));
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const passedMs = performance.now() - began;
  agent.destroy();
  const cpu = (await cpuOf(at)) - cpuBefore;
  return {
    perSecond: Math.round((latencies.length / passedMs) * 1_000),
    p50: rounded(quantile(latencies, 0.5)),
    p99: rounded(quantile(latencies, 0.99)),
    starts: latencies.length,
    cpuMicrosecondsPerStart: Math.round(cpu / latencies.length),
  };
};

const folder = await mkdtemp(join(tmpdir(), 'ecl-bench-http-'));
const at = await startServer(folder);
const machine = { node: process.version, cpu: cpus()[0].model, cores: cpus().length };
try {
  await measure(at, 64, warmUpMs);
  for (const connections of [1, 64]) {
    const figures = await measure(at, connections, measuredMs);
    process.stdout.write(
      `${JSON.stringify({ measurement: `POST /api/v1/runs, ${connections} connections`, unit: 'ms', ...figures, ...machine })}\n`,
    );
  }
} finally {
  at.server.kill('SIGTERM');
  await new Promise((resolve) => at.server.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
}

/** A reader that takes 1 kB a second of 10,000 events: what it costs the server, and what it costs others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createEcl, type Ecl } from 'ecl';
import { project, start } from '../e2e/built-cli.ts';
import { isSoak } from '../random.ts';
import { addOne } from './kit.ts';

const eventsMin = 10_000;
const slowSeconds = isSoak ? 60 : 3;
const requests = isSoak ? 400 : 60;
const memoryMiBMax = 50;

/** Runs that are over, with many events. */
const fill = async (ecl: Ecl): Promise<number> => {
  let events = 0;
  for (let value = 0; events < eventsMin;) {
    const runs = Array.from({ length: 100 }, () =>
      ecl.spawn(addOne, { key: `run-${(value += 1)}`, input: { value } }),
    );
    const ended = await Promise.all(
      runs.map(async (run) => {
        await (await run).result();
        return ecl.revisionOf((await run).id);
      }),
    );
    for (const revision of ended) events += revision + 1;
  }
  return events;
};

const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Reads 1 kB a second of a stream. */
const readSlowly = ({ url, token }: { url: string; token: string }): Socket => {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', readableHighWaterMark: 1024 } as {
    port: number;
    host: string;
  });
  socket.on('error', () => {});
  socket.write(
    `GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  socket.pause();
  const timer = setInterval(() => socket.read(1024), 1_000);
  socket.once('close', () => clearInterval(timer));
  return socket;
};

test.skipIf(process.platform !== 'linux')(
  'costs the server less than 50 MB, and others get all events meanwhile',
  async () => {
    const folder = project();
    const ecl = await createEcl({
      store: `sqlite:${join(folder, '.ecl')}`,
      model: 'rules',
      workflows: [addOne],
    });
    const stored = await fill(ecl);
    await ecl.close();
    const server = start(folder, 'serve', '--port', '0', '--model', 'rules');
    await server.said('has the address');
    const at = JSON.parse(readFileSync(join(folder, '.ecl/server.json'), 'utf8')) as {
      url: string;
      token: string;
      pid: number;
    };
    const headers = { authorization: `Bearer ${at.token}` };

    /** Milliseconds of requests, one after the other, in order of size. */
    const latencies = async (): Promise<number[]> => {
      const taken: number[] = [];
      for (let request = 0; request < requests; request += 1) {
        const began = performance.now();
        const from = Math.floor((request / requests) * stored);
        const answer = await fetch(`${at.url}/api/v1/events?from=${from}&limit=100`, { headers });
        await answer.text();
        taken.push(performance.now() - began);
      }
      return taken.toSorted((left, right) => left - right);
    };
    const p99 = (taken: readonly number[]): number => taken[Math.floor(taken.length * 0.99)]!;

    const readAll = async (): Promise<number> => {
      const controller = new AbortController();
      const answer = await fetch(`${at.url}/api/v1/events`, {
        headers: { ...headers, accept: 'text/event-stream' },
        signal: controller.signal,
      });
      let events = 0;
      const decoder = new TextDecoder();
      let line = '';
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        const lines = (line + decoder.decode(part, { stream: true })).split('\n');
        // A part may end in the middle of a line.
        line = lines.pop()!;
        events += lines.filter((each) => each.startsWith('id: ')).length;
        if (events >= stored) break;
      }
      controller.abort();
      return events;
    };

    // What the server holds anyhow, once it has served everything.
    await readAll();
    const alone = await latencies();
    const before = residentMiB(at.pid);
    const slow = readSlowly(at);
    await new Promise((resolve) => setTimeout(resolve, slowSeconds * 1_000));
    const grown = residentMiB(at.pid) - before;
    const beside = await latencies();
    expect(await readAll()).toBeGreaterThanOrEqual(stored);
    const figures = { stored, grownMiB: grown, p99Alone: p99(alone), p99Beside: p99(beside) };
    if (isSoak) process.stderr.write(`${JSON.stringify(figures)}\n`);
    expect(grown).toBeLessThan(memoryMiBMax);
    // A ratio of times says something only on a machine that is quiet for long enough.
    if (isSoak) expect(p99(beside)).toBeLessThan(p99(alone) * 2);
    slow.destroy();
    server.child.kill('SIGTERM');
    expect((await server.ended).exitCode).toBe(0);
  },
  300_000,
);

import { expect, test } from 'vitest';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { all, idsOf } from '../../contracts/event-store/kit.ts';
import { startProcess, temporary } from './temporary.ts';

const { folder } = temporary();
const lanes = 3;
const killsPerLane = 10;

/** What a writer had acknowledged, by stream, when it was killed in the middle of its work. */
const killWhileAppending = (at: string, seed: string): Promise<[string, string[]][]> =>
  new Promise((resolve, reject) => {
    const child = startProcess('append-forever.ts', at, seed);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), 3 + Math.random() * 80);
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${output}`));
      // The last line may be cut.
      const lines = output.split('\n').slice(1, -1);
      resolve(lines.map((line) => [line.split(' ')[1]!, line.split(' ')[3]!.split(',')]));
    });
  });

test('whatever was acknowledged is there after a SIGKILL, and every append whole', async () => {
  let acknowledged = 0;
  const lane = async (number: number): Promise<void> => {
    const at = folder();
    const expected = new Map<string, string[]>();
    for (let kill = 0; kill < killsPerLane; kill += 1) {
      for (const [stream, ids] of await killWhileAppending(at, `${number}-${kill}`)) {
        expected.set(stream, [...(expected.get(stream) ?? []), ...ids]);
        acknowledged += 1;
      }
      const reader = await openSqliteEventStore({ folder: at, access: 'read' });
      const stored = new Map<string, string[]>();
      for (const { stream, id } of await all(reader.readAll())) {
        stored.set(stream, [...(stored.get(stream) ?? []), id]);
      }
      for (const [stream, ids] of expected) {
        expect(stored.get(stream)?.slice(0, ids.length)).toEqual(ids);
      }
      for (const [stream, ids] of stored) {
        expect(ids.length % 3).toBe(0);
        if (kill % 5 === 0) expect(idsOf(await all(reader.readStream(stream)))).toEqual(ids);
        // Both streams of an append over two, or neither.
        const besideOf = /^(.*)-b(\d+)$/.exec(stream);
        const rounds = besideOf === null ? 0 : Number(besideOf[2]) + 1;
        if (besideOf !== null)
          expect(stored.get(besideOf[1]!)!.length).toBeGreaterThanOrEqual(rounds * 3);
      }
      await reader.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  expect(acknowledged).toBeGreaterThan(lanes * killsPerLane);
}, 60_000);

/** What a person sees who asks while the read models are far behind: how far they are, once it takes long. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { main } from '../../src/cli/program.ts';
import { sayReading } from '../../src/cli/reading.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import type { ReadModelWait } from '../../src/ports/read-models.ts';
import { append } from '../runtime/projector-kit.ts';
import { temporaryFolder, Written } from './kit.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What a terminal was shown, frame by frame. */
const framesOf = ({ text }: Written): string[] =>
  text.split('\r\u001b[2K').filter((frame) => frame !== '');

test('a list that waits for the journals to be read says how far it is, and takes the line away', async () => {
  const folder = join(temporaryFolder(), '.ecl');
  const store = await openSqliteEventStore({ folder, access: 'write' });
  const signals = Array.from({ length: 8_000 }, (_, n) => append(store, `flow.r${n % 8}`, `s${n}`));
  await Promise.all(signals);
  await store.close();

  const [stdout, stderr] = [new Written(), new Written({ isTTY: true })];
  const listing = main(['--store', `sqlite:${folder}`, 'list'], { stdout, stderr });
  // A quarter of a second for each turn of the event loop.
  while ((await Promise.race([listing, nextTurn('turn')])) === 'turn') vi.advanceTimersByTime(250);
  expect(await listing).toBe(0);
  const frames = framesOf(stderr);
  expect(frames.length).toBeGreaterThan(1);
  for (const frame of frames) {
    expect(frame).toMatch(/^reading the journals: \d{1,2} % \(position [\d,]+ of 8,000\)$/);
  }
  expect(stderr.text.endsWith('\r\u001b[2K')).toBe(true);
});

const saying = (options: { isTTY?: boolean; json?: boolean } = {}) => {
  const { isTTY = true, json = false } = options;
  const stderr = new Written({ isTTY });
  const terminal = new Terminal({ json, stderr, stdout: new Written() });
  const waits: { now: ReadModelWait | undefined } = { now: undefined };
  const end = sayReading(terminal, { awaited: () => waits.now });
  return { stderr, terminal, waits, end };
};

test('a wait of a second is not spoken of, a longer one is until it is over', () => {
  const { stderr, waits } = saying();
  waits.now = { position: -1n, end: 7n };
  vi.advanceTimersByTime(1_000);
  expect(stderr.text).toBe('');
  vi.advanceTimersByTime(250);
  waits.now = { position: 4n, end: 7n };
  vi.advanceTimersByTime(250);
  expect(framesOf(stderr)).toEqual([
    'reading the journals: 0 % (position 0 of 7)',
    'reading the journals: 57 % (position 4 of 7)',
  ]);
  waits.now = undefined;
  vi.advanceTimersByTime(250);
  expect(stderr.text.endsWith('\r\u001b[2K')).toBe(true);
});

test('nothing is said where nobody watches, of waits that are each short, and over the line of another', () => {
  for (const options of [{ isTTY: false }, { json: true }]) {
    const { stderr, waits } = saying(options);
    waits.now = { position: 1n, end: 2n };
    vi.advanceTimersByTime(5_000);
    expect(stderr.text).toBe('');
  }
  const { stderr, terminal, waits, end } = saying();
  for (let n = 0; n < 3; n += 1) {
    waits.now = { position: 1n, end: 2n };
    vi.advanceTimersByTime(750);
    waits.now = undefined;
    vi.advanceTimersByTime(250);
  }
  terminal.transient('rebuilding');
  vi.advanceTimersByTime(1_000);
  end();
  expect(stderr.text).toBe('rebuilding');
});

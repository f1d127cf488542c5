/** Says how far the read models are while a person waits for them: seconds, where a large store was not looked at for long. */
import type { ReadModels, ReadModelWait } from '../ports/read-models.ts';
import { count } from './format.ts';
import type { Terminal } from './terminal.ts';

const tickMs = 250;
/** A wait that is over by then is worth no line. */
const quietMs = 1_000;

const lineOf = ({ position, end }: ReadModelWait): string => {
  const [at, of] = [Math.max(Number(position), 0), Math.max(Number(end), 1)];
  const percent = Math.floor((100 * at) / of);
  return `reading the journals: ${percent} % (position ${count(at)} of ${count(of)})`;
};

/** @returns ends it */
export const sayReading = (
  terminal: Terminal,
  readModels: Pick<ReadModels, 'awaited'>,
): (() => void) => {
  if (!terminal.isWatched) return () => {};
  let waitedMs = 0;
  let isSaid = false;
  const say = (text: string): void => {
    // What others say of their own is left alone.
    if (text !== '' || isSaid) terminal.transient(text);
    isSaid = text !== '';
  };
  const ticker = setInterval(() => {
    const awaited = readModels.awaited();
    waitedMs = awaited === undefined ? 0 : waitedMs + tickMs;
    say(awaited === undefined || waitedMs <= quietMs ? '' : lineOf(awaited));
  }, tickMs);
  ticker.unref();
  return () => {
    clearInterval(ticker);
    say('');
  };
};

/** Which events of `$all` a client wants: by stream or type, by prefixes or a regular expression, which goes first. */
import type { WireFilter } from './protocol/streams-messages.ts';
import { unreadable } from './refusals.ts';

export interface EventFilter {
  readonly matches: (stream: string, type: string) => boolean;
  /** Events that are looked at between two checkpoints, in steps of one window. */
  readonly windowEvents: number;
  readonly windowsPerCheckpoint: number;
}

const windowDefault = 32;
/** A longer expression is refused: it is matched against every event. */
const regexCharactersMax = 2_000;

const compile = (source: string): RegExp => {
  if (source.length > regexCharactersMax) throw unreadable('The regular expression is too long');
  try {
    return new RegExp(source, 'u');
  } catch {
    // Escapes that only stricter expressions refuse, `\-` for instance, mean the same without that strictness.
    try {
      return new RegExp(source);
    } catch (cause) {
      throw unreadable(`The filter's regular expression cannot be read: ${String(cause)}`);
    }
  }
};

/** @throws InvalidCall for an expression that cannot be read */
export const eventFilter = (wire: WireFilter): EventFilter => {
  const expression = wire.eventType ?? wire.streamIdentifier;
  if (expression === undefined) throw unreadable('A filter is on streams or on types');
  const { regex = '', prefix = [] } = expression;
  const wanted = regex === '' ? undefined : compile(regex);
  const isWanted = (text: string): boolean =>
    wanted === undefined ? prefix.some((start) => text.startsWith(start)) : wanted.test(text);
  return {
    matches:
      wire.eventType === undefined ? (stream) => isWanted(stream) : (_, type) => isWanted(type),
    windowEvents: wire.max ?? windowDefault,
    windowsPerCheckpoint: wire.checkpointIntervalMultiplier ?? 0,
  };
};

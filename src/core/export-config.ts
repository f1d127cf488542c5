/**
 * A machine's config as JSON: what `createMachine()` takes again, with every function by its name.
 *
 * 1. States, transitions, metadata and descriptions come through unchanged; so do names of guards, actions, actors and
 *    delays.
 * 2. A function that stands in the config itself becomes a name too: in a place for an action, a guard or an actor just
 *    the name, elsewhere (an input, an output, the context) `{ "$function": name }`.
 */
import type { AnyStateMachine } from 'xstate';

export type JsonConfig = { readonly [key: string]: unknown };

interface NamedFunction {
  readonly name: string;
  /** Of `assign(…)` and its kind. */
  readonly type?: unknown;
  /** Of `and([…])`, `or([…])` and `not(…)`. */
  readonly guards?: readonly unknown[];
}

const isFunction = (value: unknown): value is NamedFunction => typeof value === 'function';

const nameOf = (value: NamedFunction, fallback: string): string => {
  const name = value.name === '' ? fallback : value.name;
  if (value.guards !== undefined) return `${name}(${value.guards.map(guardName).join(', ')})`;
  return typeof value.type === 'string' ? value.type.replace(/^xstate\./, '') : name;
};

/** `isReady`, `and(isReady, isPaid)`; `guard` for a function without a name. */
export const guardName = (guard: unknown): string => {
  if (isFunction(guard)) return nameOf(guard, 'guard');
  return typeof guard === 'string' ? guard : String((guard as { type?: unknown } | null)?.type);
};

/** Names of actions as a config holds them: names, objects with a `type`, functions. */
export const actionNames = (actions: readonly unknown[]): string[] =>
  actions.map((action) => (isFunction(action) ? nameOf(action, 'action') : guardName(action)));

/** Keys whose functions are implementations, which a config names. */
const named = new Set(['actions', 'entry', 'exit', 'guard', 'src', 'delay']);

interface Place {
  /** The last key above that is not an index. */
  readonly key: string;
  /** For the names of functions that have none. */
  readonly path: readonly string[];
}

const convert = (value: unknown, place: Place): unknown => {
  if (isFunction(value)) {
    const name = nameOf(value, place.path.join('.'));
    return named.has(place.key) ? name : { $function: name };
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((part, index) =>
      convert(part, { key: place.key, path: [...place.path, String(index)] }),
    );
  }
  if ('getInitialSnapshot' in value) return place.path.join('.');
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]) => [key, convert(part, { key, path: [...place.path, key] })]),
  );
};

/** The config of a machine, as JSON. */
export const exportConfig = (machine: AnyStateMachine): JsonConfig =>
  convert(machine.config, { key: '', path: [] }) as JsonConfig;

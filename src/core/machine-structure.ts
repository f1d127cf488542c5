/**
 * The structure of a machine as a hash, to which a run is pinned.
 *
 * 1. It covers states, transitions, names and metadata; a function counts by its kind, not by its text, which another
 *    compiler would write differently. A function that decides otherwise is found by replay, not here.
 * 2. Descriptions are prose: mending one must not block a run.
 */
import type { AnyStateMachine } from 'xstate';
import { isPlainObject } from './json-value.ts';
import { sha256 } from './sha256.ts';

const describeFunction = (value: { type?: unknown; name: string }): unknown => {
  const type = typeof value.type === 'string' ? value.type : undefined;
  return { $function: type ?? value.name };
};

const structureOf = (value: unknown): unknown => {
  if (typeof value === 'function') return describeFunction(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(structureOf);
  if ('getInitialSnapshot' in value) return { $logic: true };
  // A schema under `meta`, for one: what it is made of is its library's business.
  if (!isPlainObject(value)) return { $instance: value.constructor?.name ?? '' };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, part]) => name !== 'description' && part !== undefined)
      .map(([name, part]) => [name, structureOf(part)]),
  );
};

const withoutContext = (config: object): object =>
  Object.fromEntries(
    Object.entries(config).filter(([name]) => !['context', 'types', 'version'].includes(name)),
  );

/** @returns 64 hex digits */
export const machineStructure = (machine: AnyStateMachine): string =>
  sha256(JSON.stringify(structureOf(withoutContext(machine.config))));

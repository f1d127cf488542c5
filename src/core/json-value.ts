/**
 * Values that JSON can hold, and nothing else, may enter a journal: anything else would come back changed.
 *
 * 1. A refusal names the path, so that its author finds the value.
 * 2. An undefined property is as good as none, since reading it gives the same; an undefined element is refused.
 * 3. `__proto__` is refused: some reader, some day, would copy it with `Object.assign`.
 */
import { EclError } from './errors.ts';
import { limits } from './limits.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

export const isPlainObject = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** How a property is written in a path: `.name`, or `["any text"]`. */
export const pathOf = (key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;

interface Fault {
  /** From the value that was looked at. */
  readonly path: string;
  readonly reason: string;
}

const within = (fault: Fault | undefined, before: () => string): Fault | undefined =>
  fault === undefined ? undefined : { ...fault, path: `${before()}${fault.path}` };

const instanceFault = (value: object): string => {
  if ('getSnapshot' in value && 'sessionId' in value) {
    return 'an actor reference does not survive; keep the id and use spawnChild, sendTo and stopChild with it';
  }
  return `an instance of ${value.constructor?.name || 'a class'} does not survive`;
};

const primitiveFault = (value: unknown): string | undefined => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : `${value} is not a JSON number`;
  }
  return value === undefined
    ? 'undefined does not survive here'
    : `a ${typeof value} does not survive`;
};

/** The first value that JSON cannot hold. */
const findFault = (value: unknown, depth: number): Fault | undefined => {
  if (typeof value !== 'object' || value === null) {
    const reason = primitiveFault(value);
    return reason === undefined ? undefined : { path: '', reason };
  }
  if (depth > limits.jsonDepthMax) {
    return { path: '', reason: `it nests deeper than ${limits.jsonDepthMax}` };
  }
  return Array.isArray(value) ? findElementFault(value, depth) : findPropertyFault(value, depth);
};

const findElementFault = (value: readonly unknown[], depth: number): Fault | undefined => {
  const own = arrayFault(value);
  if (own !== undefined) return own;
  for (let index = 0; index < value.length; index += 1) {
    const fault = findFault(value[index], depth + 1);
    if (fault !== undefined) return within(fault, () => `[${index}]`);
  }
  return undefined;
};

const findPropertyFault = (value: object, depth: number): Fault | undefined => {
  const own = objectFault(value);
  if (own !== undefined) return own;
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    const fault = findFault(property, depth + 1);
    if (fault !== undefined) return within(fault, () => pathOf(key));
  }
  return undefined;
};

/** What is wrong with an array itself, its elements aside; holes count as elements. */
export const arrayFault = (value: readonly unknown[]): Fault | undefined => {
  if (Object.getPrototypeOf(value) !== Array.prototype) {
    return { path: '', reason: instanceFault(value) };
  }
  // A match of a regular expression has names beside its elements, for one.
  const names = Object.keys(value);
  if (names.length === value.length) return undefined;
  const extra = names.find((name) => String(Number(name) >>> 0) !== name);
  return extra === undefined
    ? undefined
    : { path: pathOf(extra), reason: 'a named property of an array does not survive' };
};

/** What is wrong with an object itself, the values of its properties aside. */
export const objectFault = (value: object): Fault | undefined => {
  if (!isPlainObject(value)) return { path: '', reason: instanceFault(value) };
  const [symbol] = Object.getOwnPropertySymbols(value);
  if (symbol !== undefined) {
    return { path: `[${String(symbol)}]`, reason: 'a property named by a symbol does not survive' };
  }
  return Object.hasOwn(value, '__proto__')
    ? { path: pathOf('__proto__'), reason: 'this name is not allowed' }
    : undefined;
};

/** Where a value stands in a larger one that the error names. */
export interface Place {
  readonly path: string;
  readonly depth: number;
}

const whole: Place = { path: '$', depth: 0 };

const refuse = (what: string, place: Place, fault: Fault): never => {
  const { path, reason } = fault;
  throw new EclError('input.not-json', { what, path: `${place.path}${path}`, reason });
};

/**
 * @param what names the value in the error: `the input`, `the context`
 * @throws EclError `input.not-json` with `details.path`
 */
export const assertJson = (value: unknown, what: string, place = whole): void => {
  if (value === undefined) return;
  const fault = findFault(value, place.depth);
  if (fault !== undefined) refuse(what, place, fault);
};

const withoutUndefined = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    value.forEach((element: unknown, index) => {
      const kept = withoutUndefined(element);
      if (kept !== element) (copy ??= [...(value as unknown[])])[index] = kept;
    });
    return copy ?? value;
  }
  const entries = Object.entries(value);
  const kept = entries
    .filter(([, property]) => property !== undefined)
    .map(([key, property]): [string, unknown] => [key, withoutUndefined(property)]);
  const same =
    kept.length === entries.length && kept.every(([, now], index) => now === entries[index]![1]);
  return same ? value : Object.fromEntries(kept);
};

/**
 * The value as it comes back from a journal: without properties that are undefined, which spread and `in` would see
 * before a restart and not after it. The value itself when there are none.
 *
 * @throws EclError `input.not-json` with `details.path`
 */
export const asJson = <Value>(value: Value, what: string): Value => {
  assertJson(value, what);
  return withoutUndefined(value) as Value;
};

/** JSON text with sorted keys, for hashes that must not depend on the order of keys. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(
      Object.entries(part).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)),
    );
  }) ?? 'null';

/** Whether two JSON values are equal, whatever the order of their keys. */
export const jsonEquals = (left: unknown, right: unknown): boolean =>
  canonicalJson(left) === canonicalJson(right);

/** Freezes a JSON value and all in it, so that a mutation throws where it happens; what is frozen may hold what is not. */
export const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
};

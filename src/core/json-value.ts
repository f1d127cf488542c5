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

const step = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

/** What is wrong with a value that is neither an array nor a plain object, or undefined when nothing is. */
const faultOf = (value: unknown): string | undefined => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${value} is not a JSON number`;
    case 'object':
      if (value === null) return undefined;
      return `an instance of ${value.constructor?.name ?? 'a class'} does not survive`;
    default:
      return `a ${typeof value} does not survive`;
  }
};

/** Calls back with the path of the first value that JSON cannot hold. */
const findFault = (
  value: unknown,
  path: string,
  depth: number,
): { path: string; reason: string } | undefined => {
  if (typeof value !== 'object' || value === null) {
    const reason = faultOf(value);
    return reason === undefined ? undefined : { path, reason };
  }
  if (depth > limits.jsonDepthMax) {
    return { path, reason: `it nests deeper than ${limits.jsonDepthMax}` };
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = findFault(value[index], `${path}[${index}]`, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (!isPlainObject(value)) return { path, reason: faultOf(value) ?? 'it is not plain' };
  return findPropertyFault(value, path, depth);
};

const findPropertyFault = (
  value: Record<string, unknown>,
  path: string,
  depth: number,
): { path: string; reason: string } | undefined => {
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return { path: step(path, key), reason: 'this name is not allowed' };
    const property = value[key];
    if (property === undefined) continue;
    const fault = findFault(property, step(path, key), depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/**
 * @param what names the value in the error: `the input`, `the context`
 * @throws EclError `input.not-json` with `details.path`
 */
export const assertJson = (value: unknown, what: string): void => {
  if (value === undefined) return;
  const fault = findFault(value, '$', 0);
  if (fault !== undefined) throw new EclError('input.not-json', { what, ...fault });
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

/** Freezes a JSON value and all in it, so that a mutation throws where it happens. */
export const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
};

/**
 * The hash of a machine's context, at a cost of what changed instead of what is there.
 *
 * 1. It is a function of the value alone: a Merkle hash of two levels, so the elements of a growing array and the keys
 *    of the context that stayed the same objects are not hashed again.
 * 2. That relies on contexts never being mutated, so what is hashed is frozen.
 * 3. What JSON cannot hold is refused with its path, where it first appears.
 */
import {
  arrayFault,
  assertJson,
  deepFreeze,
  objectFault,
  pathOf,
  type Place,
} from './json-value.ts';
import { sha256 } from './sha256.ts';

const what = 'the context';

/** One memo a level: the same object hashes differently as a leaf and as a branch. */
const leaves = new WeakMap<object, string>();
const branches = new WeakMap<object, string>();
const contexts = new WeakMap<object, string>();

/** A short text stands for itself; a digest costs more than it saves. */
const inlineMax = 256;
const stand = (text: string): string => (text.length <= inlineMax ? text : `#${sha256(text)}`);

/** Checks, freezes and hashes one object, once. */
const leafText = (value: object, place: Place): string => {
  assertJson(value, what, place);
  deepFreeze(value);
  const text = stand(JSON.stringify(value));
  leaves.set(value, text);
  return text;
};

const branchText = (value: object, place: Place): string => {
  const text = stand(combine(value, place));
  Object.freeze(value);
  branches.set(value, text);
  return text;
};

const part = (value: unknown, parent: Place, key: string | number): string => {
  const isBranch = parent.depth === 0;
  if (typeof value === 'object' && value !== null) {
    const known = (isBranch ? branches : leaves).get(value);
    if (known !== undefined) return known;
  } else if (typeof value === 'string' || typeof value === 'boolean' || value === null) {
    return JSON.stringify(value);
  }
  const path = `${parent.path}${typeof key === 'number' ? `[${key}]` : pathOf(key)}`;
  const place = { path, depth: parent.depth + 1 };
  if (typeof value === 'object' && value !== null) {
    return isBranch ? branchText(value, place) : leafText(value, place);
  }
  assertJson(value, what, place);
  return JSON.stringify(value);
};

const combine = (value: object, place: Place): string => {
  if (Array.isArray(value)) {
    if (arrayFault(value) !== undefined || value.includes(undefined)) {
      assertJson(value, what, place);
    }
    return `[${value.map((element: unknown, index) => part(element, place, index)).join()}]`;
  }
  if (objectFault(value) !== undefined) assertJson(value, what, place);
  let text = '';
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property !== undefined) text += `${JSON.stringify(key)}:${part(property, place, key)},`;
  }
  return `{${text}}`;
};

/**
 * @returns 32 hex digits
 * @throws EclError `input.not-json`
 */
export const contextHash = (context: unknown): string => {
  const whole: Place = { path: '$', depth: 0 };
  if (typeof context !== 'object' || context === null) {
    assertJson(context, what);
    return sha256(JSON.stringify(context) ?? 'null').slice(0, 32);
  }
  const known = contexts.get(context);
  if (known !== undefined) return known;
  const digest = sha256(combine(context, whole)).slice(0, 32);
  Object.freeze(context);
  contexts.set(context, digest);
  return digest;
};

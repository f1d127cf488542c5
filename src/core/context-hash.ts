/**
 * The hash of a machine's context, at a cost of what changed instead of what is there.
 *
 * 1. It is a function of the value alone: a Merkle hash of two levels, so the elements of a growing array and the keys
 *    of the context that stayed the same objects are not hashed again.
 * 2. That relies on contexts never being mutated, so what is hashed is frozen.
 * 3. What JSON cannot hold is refused with its path, where it first appears.
 */
import { assertJson, deepFreeze } from './json-value.ts';
import { sha256 } from './sha256.ts';

/** One memo a level: the same object hashes differently as a leaf and as a branch. */
const leaves = new WeakMap<object, string>();
const branches = new WeakMap<object, string>();
const contexts = new WeakMap<object, string>();

/** A short text stands for itself; a digest costs more than it saves. */
const inlineMax = 256;
const stand = (text: string): string => (text.length <= inlineMax ? text : `#${sha256(text)}`);

/** Checks, freezes and hashes one object, once. */
const leafText = (value: object, path: string): string => {
  const known = leaves.get(value);
  if (known !== undefined) return known;
  assertJson(value, `the context at ${path}`);
  deepFreeze(value);
  const text = stand(JSON.stringify(value));
  leaves.set(value, text);
  return text;
};

const part = (value: unknown, path: string, branch: boolean): string => {
  if (typeof value === 'object' && value !== null) {
    return branch ? branchText(value, path) : leafText(value, path);
  }
  assertJson(value, `the context at ${path}`);
  return JSON.stringify(value);
};

const branchText = (value: object, path: string): string => {
  const known = branches.get(value);
  if (known !== undefined) return known;
  const text = stand(combine(value, path, false));
  Object.freeze(value);
  branches.set(value, text);
  return text;
};

const combine = (value: object, path: string, branch: boolean): string => {
  if (Array.isArray(value)) {
    if (value.includes(undefined)) assertJson(value, `the context at ${path}`);
    return `[${value.map((element, index) => part(element, `${path}[${index}]`, branch)).join()}]`;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype)
    assertJson(value, `the context at ${path}`);
  let text = '';
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    if (key === '__proto__') assertJson(value, `the context at ${path}`);
    text += `${JSON.stringify(key)}:${part(property, `${path}.${key}`, branch)},`;
  }
  return `{${text}}`;
};

/**
 * @returns 32 hex digits
 * @throws EclError `input.not-json`
 */
export const contextHash = (context: unknown): string => {
  if (typeof context !== 'object' || context === null) {
    assertJson(context, 'the context');
    return sha256(JSON.stringify(context) ?? 'null').slice(0, 32);
  }
  const known = contexts.get(context);
  if (known !== undefined) return known;
  const digest = sha256(combine(context, '$', true)).slice(0, 32);
  Object.freeze(context);
  contexts.set(context, digest);
  return digest;
};

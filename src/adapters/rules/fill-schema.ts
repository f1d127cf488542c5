/**
 * An answer that fits a JSON schema, filled from what there is to say.
 *
 * 1. What is returned fits the schema, or an error says which field no value was found for.
 * 2. What a draft already held stays where the schema still accepts it.
 * 3. Recursive schemas end: what is optional is left out when it is deep.
 */
import type { JsonSchema } from '../../ports/model.ts';
import { scopesFor, textsFor, type Field, type Scope } from './by-name.ts';
import type { Content } from './content.ts';
import { fillBoolean, fillEnum, fillNumber } from './fill-scalar.ts';
import { fillString } from './fill-string.ts';
import { nameWords } from './words.ts';

/** No value fits. */
const nothing: unique symbol = Symbol('nothing');
type Filled = unknown;

interface Place {
  readonly name: string;
  readonly scope: Scope | undefined;
  readonly depth: number;
  /** What an earlier draft has here. */
  readonly given: unknown;
}

const optionalDepthMax = 6;
const depthMax = 24;
const itemsUsual = 5;
const phrasesUsual = 8;
const itemsMost = 20;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class Filler {
  readonly #root: JsonSchema;
  readonly #content: Content;
  /** The deepest field that no value was found for. */
  failedAt = '';

  constructor(root: JsonSchema, content: Content) {
    this.#root = root;
    this.#content = content;
  }

  fill(schema: JsonSchema, place: Place): Filled {
    const value =
      place.depth > depthMax ? nothing : this.#fillResolved(this.#resolve(schema), place);
    if (value === nothing && this.failedAt === '') this.failedAt = place.name || 'the answer';
    return value;
  }

  /** Follows references, and merges the parts of an intersection of objects. */
  #resolve(schema: JsonSchema): JsonSchema {
    let resolved = schema;
    for (let steps = 0; typeof resolved['$ref'] === 'string' && steps < 50; steps += 1) {
      const { $ref: reference, ...rest } = resolved;
      resolved = { ...this.#lookUp(reference), ...rest };
    }
    const parts = resolved['allOf'];
    if (!Array.isArray(parts) || resolved['type'] === 'string') return resolved;
    let merged: Record<string, unknown> = { ...resolved };
    delete merged['allOf'];
    for (const part of (parts as JsonSchema[]).map((each) => this.#resolve(each))) {
      const required = [merged['required'], part['required']].flat().filter(Boolean);
      const properties = {
        ...(merged['properties'] as object | undefined),
        ...(part['properties'] as object | undefined),
      };
      merged = { ...merged, ...part, properties, required };
      if (!isObject(part['properties']) && Object.keys(properties).length === 0) {
        delete merged['properties'];
      }
    }
    return merged;
  }

  #lookUp(reference: string): JsonSchema {
    let at: unknown = this.#root;
    for (const part of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }
    return isObject(at) ? at : {};
  }

  #fillResolved(schema: JsonSchema, place: Place): Filled {
    if ('const' in schema) return schema['const'];
    if (Array.isArray(schema['enum'])) {
      return fillEnum(schema['enum'], this.#field(schema, place), this.#content, place.given);
    }
    const branches = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(branches)) return this.#fillBranches(schema, branches as JsonSchema[], place);
    if (isObject(schema['not']) && Object.keys(schema['not']).length === 0) return nothing;
    const { type } = schema;
    if (Array.isArray(type)) {
      return this.#fillBranches(
        schema,
        type.map((each: unknown) => ({ ...schema, type: each })),
        place,
      );
    }
    return this.#fillType(schema, place);
  }

  /** The branch of an earlier draft where it has one that fits, else the first that can be filled. */
  #fillBranches(schema: JsonSchema, branches: readonly JsonSchema[], place: Place): Filled {
    const { anyOf: _any, oneOf: _one, ...shared } = schema;
    const merged = branches.map((branch): JsonSchema => ({ ...shared, ...this.#resolve(branch) }));
    const likely = merged.filter((branch) => this.#mayHold(branch, place.given));
    for (const branch of [...likely, ...merged.filter((each) => !likely.includes(each))]) {
      const value = this.#fillResolved(branch, place);
      if (value !== nothing) return value;
    }
    return nothing;
  }

  #mayHold(schema: JsonSchema, given: unknown): boolean {
    if (given === undefined) return false;
    const { type, properties } = schema;
    if (!isObject(given))
      return type === (given === null ? 'null' : Array.isArray(given) ? 'array' : typeof given);
    if (type !== 'object' || !isObject(properties)) return false;
    return Object.entries(properties).every(([name, part]) => {
      const literal = this.#resolve(part as JsonSchema)['const'];
      return literal === undefined || literal === given[name];
    });
  }

  #fillType(schema: JsonSchema, place: Place): Filled {
    const field = this.#field(schema, place);
    const { given } = place;
    switch (schema['type'] ?? (isObject(schema['properties']) ? 'object' : undefined)) {
      case 'object':
        return this.#fillObject(schema, place);
      case 'array':
        return this.#fillArray(schema, place);
      case 'null':
        return null;
      case 'boolean':
        return fillBoolean(field, this.#content, given);
      case 'integer':
      case 'number':
        return fillNumber(schema, field, { content: this.#content, given }) ?? nothing;
      case 'string':
        return this.#fillText(schema, field, given);
      default:
        // Anything goes: a text is the most useful.
        return given === undefined ? (textsFor(field, this.#content)[0] ?? '') : given;
    }
  }

  #fillText(schema: JsonSchema, field: Field, given: unknown): Filled {
    const texts = textsFor(field, this.#content);
    const wanted = typeof given === 'string' ? [given, ...texts] : texts;
    const spare = this.#content.extraction.ranked.slice(0, 50).map((sentence) => sentence.text);
    const { material } = this.#content;
    return fillString(schema, { wanted, spare, material }) ?? nothing;
  }

  #fillObject(schema: JsonSchema, place: Place): Filled {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const required = new Set(
      Array.isArray(schema['required']) ? (schema['required'] as string[]) : [],
    );
    const given = isObject(place.given) ? place.given : undefined;
    const filled: Record<string, unknown> = {};
    const names = new Set([...Object.keys(properties), ...required]);
    for (const name of names) {
      const isRequired = required.has(name);
      if (
        !isRequired &&
        (place.depth >= optionalDepthMax || (given !== undefined && !Object.hasOwn(given, name)))
      ) {
        continue;
      }
      const part = Object.hasOwn(properties, name)
        ? properties[name]
        : schema['additionalProperties'];
      const before = this.failedAt;
      const value = this.fill(isObject(part) ? part : {}, {
        name,
        scope: place.scope,
        depth: place.depth + 1,
        given: given !== undefined && Object.hasOwn(given, name) ? given[name] : undefined,
      });
      if (value !== nothing) {
        // Not by assignment: the name may be `__proto__`.
        Object.defineProperty(filled, name, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } else if (isRequired) return nothing;
      else this.failedAt = before;
    }
    return filled;
  }

  #fillArray(schema: JsonSchema, place: Place): Filled {
    const prefix = Array.isArray(schema['prefixItems'])
      ? (schema['prefixItems'] as JsonSchema[])
      : [];
    const least = Math.max(
      prefix.length,
      typeof schema['minItems'] === 'number' ? schema['minItems'] : 0,
    );
    const most = Math.min(
      typeof schema['maxItems'] === 'number' ? schema['maxItems'] : Infinity,
      10_000,
    );
    const items = isObject(schema['items']) ? schema['items'] : undefined;
    const given = Array.isArray(place.given) ? (place.given as unknown[]) : undefined;
    const list: unknown[] = [];
    const add = (part: JsonSchema, inner: Partial<Place>): boolean => {
      const value = this.fill(part, {
        ...place,
        depth: place.depth + 1,
        given: undefined,
        ...inner,
      });
      if (value !== nothing) list.push(value);
      return value !== nothing;
    };
    for (const [at, part] of prefix.entries()) {
      if (!add(part, { given: given?.[at] })) return nothing;
    }
    if (items === undefined) return list.length >= least ? list : nothing;
    const before = this.failedAt;
    this.#addItems(items, place, { add, list, least, most, given: given?.slice(prefix.length) });
    if (list.length < least) return nothing;
    this.failedAt = before;
    return list;
  }

  #addItems(
    items: JsonSchema,
    place: Place,
    options: {
      add: (part: JsonSchema, inner: Partial<Place>) => boolean;
      list: unknown[];
      least: number;
      most: number;
      given: readonly unknown[] | undefined;
    },
  ): void {
    const { add, list, least, most, given } = options;
    for (const part of given ?? []) {
      if (list.length >= most) return;
      add(items, { given: part });
    }
    if (given !== undefined && list.length >= least) return;
    const asked = this.#content.items ?? itemsUsual;
    const scopes = this.#scopes(place, Math.max(least, Math.min(most, asked)));
    const usual = {
      sentence: asked,
      phrase: phrasesUsual,
      complaint: itemsMost,
      document: itemsMost,
    };
    const isDeep = place.depth >= optionalDepthMax;
    const kind = scopes[0]?.kind ?? 'sentence';
    const target = isDeep ? least : Math.max(least, Math.min(most, usual[kind]));
    for (const scope of scopes) {
      if (list.length >= target) return;
      if (!add(items, { scope })) break;
    }
    // A list that must be longer than there is to say repeats itself.
    for (let at = 0; list.length < least; at += 1) {
      const scope = scopes.length === 0 ? place.scope : scopes[at % scopes.length];
      if (!add(items, { scope })) return;
    }
  }

  /** A list within an item belongs to that item. */
  #scopes(place: Place, count: number): Scope[] {
    if (place.scope !== undefined) return [place.scope];
    const field = { words: nameWords(place.name), description: '', scope: undefined };
    return scopesFor(field, this.#content, count);
  }

  #field(schema: JsonSchema, place: Place): Field {
    const described = schema['description'];
    return {
      words: nameWords(place.name),
      description: typeof described === 'string' ? described : '',
      scope: place.scope,
    };
  }
}

/** A value that fits the schema, or `nothing` with the field that could not be filled. */
export const fillSchema = (
  schema: JsonSchema,
  content: Content,
): { readonly value: unknown } | { readonly failedAt: string } => {
  const filler = new Filler(schema, content);
  const place = { name: '', scope: undefined, depth: 0, given: content.value };
  const value = filler.fill(schema, place);
  return value === nothing ? { failedAt: filler.failedAt } : { value };
};

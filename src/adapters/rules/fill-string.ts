/**
 * A string that a schema accepts, as near as possible to what was meant to stand there.
 *
 * 1. What is returned satisfies length, format and pattern, or nothing is returned.
 * 2. Text is shortened at sentences where that goes, at words otherwise.
 */
import type { JsonSchema } from '../../ports/model.ts';
import { samplesOf } from './pattern.ts';
import { splitSentences } from './segment.ts';
import { cutAtWord } from './shorten.ts';

const formatSamples: Readonly<Record<string, readonly string[]>> = {
  email: ['someone@example.com'],
  'idn-email': ['someone@example.com'],
  uri: ['https://example.com/'],
  'uri-reference': ['https://example.com/'],
  hostname: ['example.com'],
  uuid: ['00000000-0000-4000-8000-000000000000', '00000000-0000-7000-8000-000000000000'],
  guid: ['00000000-0000-4000-8000-000000000000'],
  date: ['1970-01-01'],
  'date-time': ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  time: ['00:00:00', '00:00:00Z', '00:00'],
  duration: ['P1D', 'PT1S'],
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
  cidrv4: ['192.0.2.0/24'],
  cidrv6: ['2001:db8::/32'],
  base64: ['dGV4dA==', ''],
  base64url: ['dGV4dA'],
  nanoid: ['a'.repeat(21)],
  cuid: ['caaaaaaaaaaaaaaaaaaaaaaaa'],
  cuid2: ['a'.repeat(24)],
  ulid: ['01ARZ3NDEKTSV4RRFFQ69G5FAV'],
  xid: ['9m4e2mr0ui3e8a215n4g'],
  ksuid: ['0ujtsYcgvSTl8PAuAdqWYSMnLOv'],
  emoji: ['🙂'],
  e164: ['+10000000000'],
  jwt: ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl'],
  mac: ['00:00:5e:00:53:00'],
  hex: ['a0'],
  json_string: ['{}'],
};

/** Formats that name how a string was described, not what it must be beyond its patterns. */
const descriptiveFormats: ReadonlySet<string> = new Set([
  'regex',
  'includes',
  'starts_with',
  'ends_with',
  'lowercase',
  'uppercase',
  'template_literal',
  'binary',
  'password',
]);

const formatPatterns: Readonly<Record<string, RegExp>> = {
  email: /[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}/g,
  uri: /https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;:!?]/g,
  date: /\b\d{4}-\d{2}-\d{2}\b/g,
  'date-time': /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g,
};

interface Rules {
  readonly min: number;
  readonly max: number;
  readonly patterns: readonly RegExp[];
  readonly sources: readonly string[];
  readonly format: string | undefined;
}

const compiled = (source: string): RegExp | undefined => {
  for (const flags of ['', 'u']) {
    // `\p{…}` means something only with the flag, and some patterns are only valid without it.
    if (flags === '' && /\\p\{/i.test(source)) continue;
    try {
      return new RegExp(source, flags);
    } catch {
      // Perhaps with the other flags.
    }
  }
  return undefined;
};

const rulesOf = (schema: JsonSchema): Rules => {
  const all = Array.isArray(schema['allOf']) ? (schema['allOf'] as JsonSchema[]) : [];
  const parts = [schema, ...all];
  const numbers = (name: string): number[] =>
    parts.map((part) => part[name]).filter((value) => typeof value === 'number');
  const sources = parts.map((part) => part['pattern']).filter((each) => typeof each === 'string');
  const format = parts.map((part) => part['format']).find((each) => typeof each === 'string');
  return {
    min: Math.max(0, ...numbers('minLength')),
    max: Math.min(Infinity, ...numbers('maxLength')),
    sources,
    patterns: sources.map(compiled).filter((each) => each !== undefined),
    format: format === undefined || descriptiveFormats.has(format) ? undefined : format,
  };
};

/** Sentences while they fit, else words. */
const shortened = (text: string, max: number): string => {
  if (text.length <= max) return text;
  let kept = '';
  for (const sentence of splitSentences(text.replace(/\s+/g, ' '))) {
    if ((kept + sentence).trimEnd().length > max) break;
    kept += sentence;
  }
  return kept.trim() === '' ? cutAtWord(text, max) : kept.trim();
};

/** Code points, since a schema counts these and JavaScript counts more. */
const lengthOf = (text: string): number => Array.from(text).length;

const lengthened = (text: string, min: number, spare: readonly string[]): string => {
  let longer = text;
  for (const more of spare) {
    if (lengthOf(longer) >= min) return longer;
    if (!longer.includes(more)) longer = longer === '' ? more : `${longer} ${more}`;
  }
  const again = (longer === '' ? 'No text was given.' : longer).trim();
  while (lengthOf(longer) < min) {
    const missing = min - lengthOf(longer);
    // The end may not fall on a space, which a trimming reader would take away.
    longer += ` ${again}`.slice(0, missing).replace(/\s$/, '.');
  }
  return longer;
};

const isFitting = (text: string, rules: Rules): boolean =>
  lengthOf(text) >= rules.min &&
  text.length <= rules.max &&
  rules.patterns.every((pattern) => pattern.test(text));

const shaped = (text: string, rules: Rules, spare: readonly string[]): string => {
  const longer = lengthOf(text) < rules.min ? lengthened(text, rules.min, spare) : text;
  if (longer.length <= rules.max) return longer;
  const shorter = shortened(longer, rules.max);
  return lengthOf(shorter) >= rules.min
    ? shorter
    : Array.from(longer).slice(0, rules.max).join('').slice(0, rules.max);
};

/** Texts made of the patterns: one that begins, one that is contained, one that ends. */
const assembled = (rules: Rules): string[] => {
  const samples = rules.sources.map((source) => samplesOf(source, rules.min));
  const parts = (isPart: (source: string) => boolean): string =>
    rules.sources.flatMap((source, at) => (isPart(source) ? [samples[at]![0]!] : [])).join('');
  const starts = parts((source) => source.startsWith('^') && !source.endsWith('$'));
  const middle = parts((source) => !source.startsWith('^') && !source.endsWith('$'));
  const ends = parts((source) => source.endsWith('$') && !source.startsWith('^'));
  const fill = 'a'.repeat(
    Math.max(0, Math.min(10_000, rules.min) - (starts + middle + ends).length),
  );
  return [...samples.flat(), starts + middle + fill + ends];
};

const variantsOf = (text: string): string[] => [
  text,
  text.toLowerCase(),
  text.toUpperCase(),
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, ''),
  text.replace(/\D+/g, ''),
];

export interface StringWish {
  /** What is meant to stand there, best first. */
  readonly wanted: readonly string[];
  /** What a text that is too short goes on with. */
  readonly spare: readonly string[];
  /** Where addresses and dates are looked for. */
  readonly material: string;
}

/** A string for the schema, or undefined where none was found. */
export const fillString = (schema: JsonSchema, wish: StringWish): string | undefined => {
  const rules = rulesOf(schema);
  const { wanted, spare, material } = wish;
  const found = formatPatterns[rules.format ?? ''];
  const candidates =
    rules.format === undefined
      ? wanted.map((text) => shaped(text, rules, spare))
      : [
          ...wanted.filter(
            (text) => text !== '' && found !== undefined && text.replace(found, '') === '',
          ),
          ...(found === undefined ? [] : (material.match(found) ?? []).slice(0, 5)),
          ...(formatSamples[rules.format.replaceAll('-string', '_string')] ?? []),
        ];
  const fitting = candidates.find((text) => isFitting(text, rules));
  if (fitting !== undefined) return fitting;
  if (rules.format !== undefined && rules.patterns.length === 0) return candidates[0];
  return [
    ...wanted.flatMap(variantsOf).map((text) => shaped(text, rules, spare)),
    ...wanted.flatMap(variantsOf),
    ...Object.values(formatSamples).flat(),
    ...assembled(rules),
  ].find((text) => isFitting(text, rules));
};

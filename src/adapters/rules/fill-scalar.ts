/** Numbers, truth values and choices that a schema accepts, by the name of the field and what there is to say. */
import type { JsonSchema } from '../../ports/model.ts';
import { labelled, relatedSentence, type Field } from './by-name.ts';
import type { Content } from './content.ts';
import { contentStems, nameWords, wordsOf } from './words.ts';

const includesAny = (field: Field, words: string): boolean =>
  words.split(' ').some((word) => field.words.includes(word));

/** From 1, nothing to complain about, down to 0. */
const qualityOf = ({ complaints }: Content): number => {
  const serious = complaints.filter((complaint) => complaint.isSerious).length;
  const notes = complaints.length - serious;
  return Math.max(0, Math.round((1 - serious * 0.15 - notes * 0.05) * 100) / 100);
};

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly isLowOpen: boolean;
  readonly isHighOpen: boolean;
  readonly step: number | undefined;
}

const boundsOf = (schema: JsonSchema): Bounds => {
  const at = (name: string): number | undefined => {
    const value = schema[name];
    return typeof value === 'number' ? value : undefined;
  };
  const [low, openLow] = [at('minimum') ?? -Infinity, at('exclusiveMinimum') ?? -Infinity];
  const [high, openHigh] = [at('maximum') ?? Infinity, at('exclusiveMaximum') ?? Infinity];
  const isInteger = schema['type'] === 'integer';
  const step = at('multipleOf');
  return {
    low: Math.max(low, openLow),
    high: Math.min(high, openHigh),
    isLowOpen: openLow >= low && openLow !== -Infinity,
    isHighOpen: openHigh <= high && openHigh !== Infinity,
    step: isInteger && (step === undefined || !Number.isInteger(step)) ? 1 : step,
  };
};

/** The number of the bounds that is nearest to the wish. */
const within = (wish: number, bounds: Bounds): number | undefined => {
  const { low, high, isLowOpen, isHighOpen, step } = bounds;
  const isInside = (value: number): boolean =>
    (isLowOpen ? value > low : value >= low) && (isHighOpen ? value < high : value <= high);
  if (step !== undefined) {
    // Dividing by the inverse keeps 0.1 × 3 from becoming 0.30000000000000004.
    const inverse = Math.round(1 / step);
    const isClean = Math.abs(1 / step - inverse) < 1e-9 && step < 1;
    const multiple = (count: number): number => (isClean ? count / inverse : count * step);
    const clamped = Math.min(Math.max(wish, low), high);
    const nearest = Math.round((Number.isFinite(clamped) ? clamped : 0) / step);
    return [nearest, nearest + 1, nearest - 1, nearest + 2, nearest - 2]
      .map(multiple)
      .find(isInside);
  }
  if (isInside(wish)) return wish;
  if (wish <= low && !isLowOpen) return isInside(low) ? low : undefined;
  if (wish >= high && !isHighOpen) return isInside(high) ? high : undefined;
  const between =
    Number.isFinite(low) && Number.isFinite(high)
      ? (low + high) / 2
      : Number.isFinite(low)
        ? low + Math.max(1, Math.abs(low) * 1e-9)
        : high - Math.max(1, Math.abs(high) * 1e-9);
  return isInside(between) ? between : undefined;
};

const numberIn = (text: string | undefined): number | undefined => {
  const found = /(?<![\p{L}\p{N}.,])-?\d[\d,]*(?:\.\d+)?/u.exec(text ?? '')?.[0];
  return found === undefined ? undefined : Number(found.replaceAll(',', ''));
};

const yearIn = (text: string | undefined): number | undefined => {
  const found = /(?<![\d.,])(?:1\d|20)\d\d(?![\d,])/.exec(text ?? '')?.[0];
  return found === undefined ? undefined : Number(found);
};

const scored = (content: Content, bounds: Bounds, isInteger: boolean): number => {
  const quality = content.kind === 'critique' ? qualityOf(content) : 0;
  const low = Number.isFinite(bounds.low) ? bounds.low : 0;
  const high =
    Number.isFinite(bounds.high) && Math.abs(bounds.high) < 1e9 ? bounds.high : undefined;
  return low + quality * ((high ?? low + (isInteger ? 100 : 1)) - low);
};

const wishFor = (
  schema: JsonSchema,
  field: Field,
  { content, bounds }: { content: Content; bounds: Bounds },
): number => {
  const { readability, extraction, complaints, kind } = content;
  const { scope } = field;
  if (includesAny(field, 'score rating quality confidence')) {
    return scored(content, bounds, schema['type'] === 'integer');
  }
  if (scope !== undefined && includesAny(field, 'index rank order position number place line id')) {
    return scope.place + 1;
  }
  if (scope?.kind === 'phrase' && includesAny(field, 'count frequency occurrences times')) {
    return content.material.toLowerCase().split(scope.phrase.toLowerCase()).length - 1;
  }
  const scopedText = scope?.kind === 'sentence' ? scope.sentence.text : undefined;
  if (scopedText !== undefined) return numberIn(scopedText) ?? 0;
  if (includesAny(field, 'words')) return readability.words;
  if (field.words[0] === 'word' && includesAny(field, 'count')) return readability.words;
  if (includesAny(field, 'sentences sentence')) return readability.sentences;
  if (includesAny(field, 'characters length')) return content.material.length;
  if (includesAny(field, 'grade readability')) return readability.grade;
  if (includesAny(field, 'documents sources files')) return extraction.documents.length;
  if (kind === 'critique') return complaints.length;
  const stated = labelled(field, content);
  if (includesAny(field, 'year')) return yearIn(stated) ?? yearIn(content.material) ?? 0;
  return numberIn(stated) ?? numberIn(relatedSentence(field, content)?.text) ?? 0;
};

/** A number for the schema, or undefined where its bounds leave none. */
export const fillNumber = (
  schema: JsonSchema,
  field: Field,
  { content, given }: { content: Content; given: unknown },
): number | undefined => {
  const bounds = boundsOf(schema);
  const wish = typeof given === 'number' ? given : wishFor(schema, field, { content, bounds });
  return within(wish, bounds);
};

/** True where the name asks whether the draft is good, and it is; or where the material says so. */
export const fillBoolean = (field: Field, content: Content, given: unknown): boolean => {
  if (typeof given === 'boolean') return given;
  const isNegative = includesAny(
    field,
    'needs revise revision rejected fail failed has not issues problems serious',
  );
  if (content.kind === 'critique') {
    if (field.scope?.kind === 'complaint') return field.scope.complaint.isSerious;
    return isNegative ? !content.isPassed : content.isPassed;
  }
  return /^(?:yes|true|y|ja|oui|si)\b/i.test(labelled(field, content) ?? '');
};

const decided = (values: readonly unknown[], content: Content): unknown => {
  const isPassed = content.isPassed;
  const good = ['pass', 'passed', 'approve', 'approved', 'accept', 'accepted', 'ok', 'good', 'yes'];
  const bad = ['revise', 'revision', 'reject', 'rejected', 'fail', 'failed', 'bad', 'no'];
  return (isPassed ? good : bad).find((word) => values.includes(word));
};

/** The choice that the content speaks for; the first where it speaks for none. */
export const fillEnum = (
  values: readonly unknown[],
  field: Field,
  content: Content,
  given?: unknown,
): unknown => {
  if (given !== undefined && values.includes(given)) return given;
  if (content.kind === 'critique') {
    const { scope } = field;
    if (scope?.kind === 'complaint') {
      const strong = ['serious', 'high', 'major', 'critical', 'error', 'must'];
      const weak = ['note', 'low', 'minor', 'info', 'warning', 'should', 'medium'];
      const level = (scope.complaint.isSerious ? strong : weak).find((each) =>
        values.includes(each),
      );
      const kind = values.find((value) => value === scope.complaint.kind);
      return level ?? kind ?? values[0];
    }
    return decided(values, content) ?? values[0];
  }
  const stated = labelled(field, content)?.toLowerCase();
  const named = values.find((value) => String(value).toLowerCase() === stated);
  if (named !== undefined) return named;
  const text =
    field.scope?.kind === 'sentence'
      ? field.scope.sentence.text
      : content.material.slice(0, 200_000);
  const counts = new Map<string, number>();
  for (const word of contentStems(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  let best = values[0];
  let most = 0;
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const words = nameWords(value).flatMap((word) => contentStems(wordsOf(word).join(' ')));
    const count = words.reduce((sum, word) => sum + (counts.get(word) ?? 0), 0);
    if (count > most) [best, most] = [value, count];
  }
  return best;
};

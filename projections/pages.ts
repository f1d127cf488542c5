/**
 * Pages of rows in an order that never changes: by a column, then by the key. Rows that come meanwhile shift nothing.
 */
import { EclError, type ProjectedRow, type ProjectedRows, type RowCondition } from 'ecl';

/** Where a row stands: by the value of the column, then by its key. */
export interface Place {
  readonly at: number;
  readonly key: string;
}

export interface PageQuery {
  readonly where: readonly RowCondition[];
  /** A column of integers that no row of the page is without. */
  readonly column: string;
  readonly descending: boolean;
  readonly limit: number;
  readonly bodies?: boolean;
}

type Columns = Readonly<Record<string, 'text' | 'integer' | 'real'>>;

export const placeOf = <Context, Of extends Columns>(
  { key, columns }: ProjectedRow<Context, Of>,
  column: keyof Of,
): Place => ({ at: Number(columns[column] ?? 0), key });

/** Rows in order, after a place in it: first those of the same moment, then the others. */
export const pageAfter = <Context, Of extends Columns>(
  rows: ProjectedRows<Context, Of>,
  { column, descending, ...page }: PageQuery,
  place?: Place,
): ProjectedRow<Context, Of>[] => {
  const orderBy = [column, 'key'].map((each) => ({ column: each, descending }));
  if (place === undefined) return rows.query({ ...page, orderBy });
  const operator = descending ? '<' : '>';
  const among = (limit: number, ...conditions: RowCondition[]): ProjectedRow<Context, Of>[] =>
    limit <= 0
      ? []
      : rows.query({ ...page, orderBy, limit, where: [...page.where, ...conditions] });
  const same = among(
    page.limit,
    { column, operator: '=', value: place.at },
    { column: 'key', operator, value: place.key },
  );
  const others = among(page.limit - same.length, { column, operator, value: place.at });
  return [...same, ...others];
};

export const encodeCursor = ({ at, key }: Place): string =>
  Buffer.from(`${at} ${key}`).toString('base64url');

/** @throws EclError `usage.invalid` */
export const decodeCursor = (cursor: string, what: string): Place => {
  const [at, key] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const place = { at: Number(at), key: key ?? '' };
  if (encodeCursor(place) === cursor && Number.isSafeInteger(place.at)) return place;
  throw new EclError('usage.invalid', { reason: `"${cursor}" is not a cursor of ${what}` });
};

const limitMax = 1_000;

/** A limit that can be kept, whatever was asked for. */
export const limitOf = (asked: number | undefined, otherwise: number): number =>
  Math.min(Math.max(1, Math.trunc(asked ?? otherwise) || 1), limitMax);

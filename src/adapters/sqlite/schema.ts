/**
 * The tables of the event database, format 1. One row of `appends` holds all events of one append.
 *
 * 1. Rows of `appends` are never updated, and are deleted only below the marker `truncate_before` of their stream,
 *    which only grows. So a deletion is always preceded by a decision about that stream.
 * 2. A row is inserted only where its stream ends: no gap, no second event at a revision, no replacement.
 * 3. The event at index i of a row has revision `revision + i` and position `position + i`.
 * 4. `purge` marks a deleted stream whose rows are removed at the next start.
 */
import { EclError } from '../../core/errors.ts';
import type { SqliteDatabase } from './driver.ts';

export const formatVersion = 1;

const tables = `
CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  max_count INTEGER,
  truncate_before INTEGER NOT NULL DEFAULT 0,
  purge INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX streams_to_purge ON streams (id) WHERE purge = 1;

CREATE TABLE appends (
  position INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  count INTEGER NOT NULL,
  head TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (stream, revision)
) STRICT;

-- Positions are not given twice, also after the newest rows are removed.
CREATE TABLE next_position (floor INTEGER NOT NULL) STRICT;
INSERT INTO next_position VALUES (1);
`;

const triggers = `
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON appends
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER events_are_deleted_below_the_marker_only BEFORE DELETE ON appends
WHEN OLD.revision + OLD.count > (SELECT truncate_before FROM streams WHERE id = OLD.stream)
BEGIN SELECT RAISE(ABORT, 'events are deleted only below truncate_before of their stream'); END;

CREATE TRIGGER markers_only_grow BEFORE UPDATE OF truncate_before ON streams
WHEN NEW.truncate_before < OLD.truncate_before
BEGIN SELECT RAISE(ABORT, 'truncate_before only grows'); END;

CREATE TRIGGER streams_keep_their_names BEFORE UPDATE OF id, name ON streams
BEGIN SELECT RAISE(ABORT, 'streams keep their names'); END;

CREATE TRIGGER streams_are_never_deleted BEFORE DELETE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;
`;

const insertTrigger = `
CREATE TRIGGER events_are_added_at_the_end_only BEFORE INSERT ON appends
WHEN NEW.position < (SELECT position + count FROM appends ORDER BY position DESC LIMIT 1)
  OR NEW.revision IS NOT IFNULL(
    (SELECT revision + count FROM appends WHERE stream = NEW.stream ORDER BY revision DESC LIMIT 1),
    (SELECT truncate_before FROM streams WHERE id = NEW.stream))
BEGIN SELECT RAISE(ABORT, 'events are added at the end of their stream only'); END;
`;

export const integerOf = (database: SqliteDatabase, sql: string): number =>
  Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);

/**
 * The format of a database, 0 for one that is still empty.
 *
 * @throws EclError `store.newer-format`, and `store.unavailable` for a database of someone else
 */
export const checkFormat = (database: SqliteDatabase, store: string): number => {
  const found = integerOf(database, 'PRAGMA user_version');
  if (found > formatVersion) {
    throw new EclError('store.newer-format', { store, found, known: formatVersion });
  }
  if (found === 0 && integerOf(database, 'SELECT COUNT(*) FROM sqlite_schema') > 0) {
    throw new EclError('store.unavailable', {
      store,
      reason: 'events.db is not a database of ECL',
    });
  }
  return found;
};

/** Makes the tables in one transaction, with the format: there is a whole schema or none. */
export const createSchema = (database: SqliteDatabase): void => {
  database.exec(
    `BEGIN IMMEDIATE;${tables}${triggers}${insertTrigger}PRAGMA user_version = ${formatVersion};COMMIT;`,
  );
};

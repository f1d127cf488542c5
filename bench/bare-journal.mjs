/**
 * The yardstick: what the disk and SQLite allow. The same number of appends of the same bytes as W1, in a plain table,
 * with the same durability and one commit for all that is asked for in a turn of the event loop. No engine at all.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

const loadSqlite = () => {
  try {
    return require('node:sqlite');
  } catch {
    return require('@photostructure/sqlite');
  }
};

/** Bytes of one W1 decision as ECL stores it, about: 15 events in 5 decisions. */
const decision = 'x'.repeat(900);
const decisionsPerRun = 5;

export const openBareJournal = (folder) => {
  const sqlite = loadSqlite();
  const Database = sqlite.DatabaseSync ?? sqlite.Database;
  const database = new Database(join(folder, 'bare.db'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec(
    'CREATE TABLE journal (position INTEGER PRIMARY KEY, run INTEGER, revision INTEGER, body TEXT) STRICT',
  );
  const insert = database.prepare('INSERT INTO journal (run, revision, body) VALUES (?, ?, ?)');
  let waiting = [];
  const flush = () => {
    const group = waiting;
    waiting = [];
    database.exec('BEGIN IMMEDIATE');
    for (const { run, revision } of group) insert.run(run, revision, decision);
    database.exec('COMMIT');
    for (const { resolve } of group) resolve();
  };
  const append = (run, revision) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ run, revision, resolve });
    });
  let runs = 0;
  return {
    durability:
      database.prepare('PRAGMA synchronous').get().synchronous === 2 ? 'FULL' : 'not FULL',
    run: async () => {
      const run = (runs += 1);
      for (let revision = 0; revision < decisionsPerRun; revision += 1) await append(run, revision);
    },
    close: () => database.close(),
  };
};

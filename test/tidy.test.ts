/**
 * What may not stand in the sources, with what to use instead. An exception names its file and its reason, and goes
 * when the file does not need it any more.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Ban {
  readonly what: string;
  /** Looked for in code: comments and the contents of texts are left out, unless `raw` says otherwise. */
  readonly pattern: RegExp;
  readonly instead: string;
  readonly raw?: true;
  /** Where it is banned. @default sources */
  readonly where?: (path: string) => boolean;
  readonly except?: Readonly<Record<string, string>>;
}

const isSource = (path: string): boolean => !path.startsWith('test/');
/** The clock and the source of identity are what the others are made to use. */
const isTimed = (path: string): boolean =>
  isSource(path) && !path.startsWith('src/adapters/system/');

const wireDeadline = 'a deadline of one request on the wire: real time, which no replay meets';
const retryAfterDate =
  'a Retry-After may be a date of the wall clock; the wait is recorded, not the date';
const serverPatience = 'patience with a server on the wire: real time, which no replay meets';
const watching = 'what a terminal shows while it watches is no part of a run';
const yields = 'it lets others have their turn; it measures no time';

const bans: readonly Ban[] = [
  {
    what: 'Date.now()',
    pattern: /\bDate\.now\b/,
    instead: 'clock.now() of the port',
    where: isTimed,
    except: {
      'src/adapters/anthropic/errors.ts': retryAfterDate,
      'src/adapters/openai-compatible/errors.ts': retryAfterDate,
      'src/adapters/filesystem/folders.ts': 'the age of a file, as the file system counts it',
      'src/cli/commands/list.ts': watching,
      'src/cli/commands/run.ts': watching,
      'src/cli/commands/status.ts': watching,
      'src/cli/commands/trace.ts': watching,
      'src/cli/commands/token.ts': 'when a person made a token: no part of a run',
      'src/cli/follow.ts': watching,
    },
  },
  {
    what: 'new Date() of now',
    pattern: /\bnew Date\(\s*\)/,
    instead: 'new Date(clock.now())',
    where: isTimed,
  },
  {
    what: 'performance.now()',
    pattern: /\bperformance\.|\bhrtime\b/,
    instead: 'clock.now() of the port',
    where: isTimed,
    except: { 'src/adapters/kurrentdb/timing.ts': serverPatience },
  },
  {
    what: 'Math.random()',
    pattern: /\bMath\.random\b/,
    instead: 'a seed from the journal, or ids.uuid() of the port',
    where: isTimed,
  },
  {
    what: 'setTimeout or setInterval',
    pattern: /\bset(?:Timeout|Interval)\b/,
    instead: 'clock.schedule() of the port, which a test can move and which survives 24.8 days',
    where: isTimed,
    except: {
      'src/adapters/model-calls/deadline.ts': wireDeadline,
      'src/adapters/kurrentdb/timing.ts': serverPatience,
      'src/adapters/filesystem/module-loader.ts':
        'a module that never finishes loading must not hold the others',
      'src/adapters/scripted/model.ts': 'a script may say how long an answer takes',
      'src/adapters/sqlite/polling-feed.ts':
        'another process tells nobody of its writes: a reader looks again',
      'src/cli/commands/list.ts': watching,
      'src/cli/show-run.ts': watching,
      'src/cli/follow.ts': watching,
      'src/cli/reading.ts': watching,
      'src/http/client/event-source.ts': wireDeadline,
      'src/http/client/transport.ts': wireDeadline,
      'src/cli/stop-signals.ts': 'the process must be gone in time, whatever hangs',
    },
  },
  {
    what: 'setImmediate',
    pattern: /\bsetImmediate\b/,
    instead: 'an await of what is waited for',
    where: isTimed,
    except: {
      'src/adapters/sqlite/group-commit.ts':
        'all that is asked for in one turn of the event loop shares one transaction and one fsync',
      'src/adapters/sqlite/event-store.ts': yields,
      'src/adapters/sqlite/subscription.ts': yields,
      'src/runtime/projection-feed.ts': yields,
      'src/testing/simulated-clock.ts': yields,
    },
  },
  {
    what: 'randomUUID()',
    pattern: /\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/,
    instead: 'ids.uuid() of the port',
    where: isTimed,
    except: {
      'src/adapters/filesystem/artifact-store.ts':
        'the name of a temporary file: nobody records it, and it is gone after the rename',
    },
  },
  {
    what: 'process.env',
    pattern: /\bprocess\.env\b/,
    instead: 'environment() of src/config.ts',
    where: (path) => isSource(path) && path !== 'src/config.ts' && path !== 'src/cli/bin.ts',
  },
  {
    what: 'console',
    pattern: /\bconsole\./,
    instead: 'the logger, or the terminal of the command line',
    where: isSource,
  },
  {
    what: 'any',
    pattern: /\bas any\b|[:<,(|&=]\s*any\b(?!\s*[.(])/,
    instead: 'unknown and a check, or the type itself',
    where: isSource,
    except: {
      'src/authoring/rounds.ts': 'XState’s type of an action is invariant in the context',
      'src/authoring/serial-types.ts':
        'a step of any input and output: steps are invariant in both',
    },
  },
  {
    what: 'TODO or FIXME',
    pattern: /\b(?:TODO|FIXME)\b/,
    instead: 'the work itself, or an entry in the list of open work',
    raw: true,
    where: () => true,
  },
  {
    what: 'a skipped, single or missing test',
    pattern: /\b(?:it|test|describe|suite)\.(?:skip|only|todo)\b(?!If)/,
    instead: 'skipIf() with a printed reason, or the test',
    where: () => true,
  },
  {
    what: 'export default',
    pattern: /^\s*export default\b/m,
    instead: 'a named export',
    where: (path) => path.startsWith('src/') || path.startsWith('projections/'),
  },
];

/** Without comments and the contents of texts. */
const codeOf = (source: string): string =>
  source.replaceAll(
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (text) => (text.startsWith('/') ? ' ' : "''"),
  );

const isBroken = (ban: Ban, path: string, source: string): boolean =>
  (ban.where ?? isSource)(path) && ban.pattern.test(ban.raw === true ? source : codeOf(source));

const linesMax = (path: string): number => (isSource(path) ? 400 : 600);

/** Files whose first words say what they are and what always holds. */
const hasHeader = (path: string): boolean => /^src\/(?:core|ports|runtime)\//.test(path);

const complaintsAbout = (path: string, source: string): string[] => {
  const broken = bans
    .filter((ban) => ban.except?.[path] === undefined && isBroken(ban, path, source))
    .map(({ what, instead }) => `${path}: ${what} is banned, use ${instead}`);
  const lines = source.trimEnd().split('\n').length;
  const long = lines > linesMax(path) ? [`${path}: ${lines} lines are too many, split it`] : [];
  const bare =
    hasHeader(path) && !source.startsWith('/**') ? [`${path}: say in a header what it is`] : [];
  return [...broken, ...long, ...bare];
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const own = 'test/tidy.test.ts';
const files = ['src', 'machines', 'projections', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path !== own),
);
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the house', () => {
  test('is tidy', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap((path) => complaintsAbout(path, textOf(path)))).toEqual([]);
  });

  test('has no exception that nothing needs any more', () => {
    const needless = bans.flatMap((ban) =>
      Object.keys(ban.except ?? {})
        .filter((path) => !files.includes(path) || !isBroken(ban, path, textOf(path)))
        .map((path) => `${path} does not need its exception for ${ban.what}`),
    );
    expect(needless).toEqual([]);
  });
});

describe('a planted fault', () => {
  test.each<[string, string, string]>([
    ['src/runtime/x.ts', 'const now = Date.now();', 'Date.now()'],
    ['src/adapters/sqlite/x.ts', 'const clock = Date.now;', 'Date.now()'],
    ['src/core/x.ts', 'const at = new Date();', 'new Date() of now'],
    ['src/cli/x.ts', 'const t = performance.now();', 'performance.now()'],
    ['src/core/x.ts', 'const n = Math.random();', 'Math.random()'],
    ['src/runtime/x.ts', 'setTimeout(go, 5);', 'setTimeout or setInterval'],
    ['src/runtime/x.ts', 'setInterval(go, 5);', 'setTimeout or setInterval'],
    [
      'src/runtime/x.ts',
      "import { setTimeout as wait } from 'node:timers/promises';",
      'setTimeout or setInterval',
    ],
    ['src/runtime/x.ts', 'setImmediate(go);', 'setImmediate'],
    ['src/runtime/x.ts', 'const id = crypto.randomUUID();', 'randomUUID()'],
    ['src/main.ts', "const key = process.env['KEY'];", 'process.env'],
    ['machines/x/steps.ts', 'const { KEY } = process.env;', 'process.env'],
    ['src/runtime/x.ts', "console.log('x');", 'console'],
    ['src/core/x.ts', 'const y = x as any;', 'any'],
    ['src/core/x.ts', 'const y: any = x;', 'any'],
    ['src/core/x.ts', 'const y = new Map<string, any>();', 'any'],
    ['src/core/x.ts', '// TODO: mend it', 'TODO or FIXME'],
    ['test/x.test.ts', '/* FIXME */', 'TODO or FIXME'],
    ['test/x.test.ts', "test.skip('x', () => {});", 'a skipped, single or missing test'],
    ['test/x.test.ts', "describe.only('x', () => {});", 'a skipped, single or missing test'],
    ['test/x.test.ts', "it.todo('x');", 'a skipped, single or missing test'],
    ['src/authoring/x.ts', 'export default 7;', 'export default'],
    ['projections/x.ts', 'export default 7;', 'export default'],
  ])('in %s is found: %s', (path, line, what) => {
    const source = `/** What it is. */\n${line}\n`;
    expect(complaintsAbout(path, source)).toEqual([
      expect.stringContaining(`${what} is banned, use `),
    ]);
  });

  test('of length or without a header is found', () => {
    const lines = (count: number): string =>
      `/** What it is. */\n${'const x = 1;\n'.repeat(count - 1)}`;
    expect(complaintsAbout('src/core/x.ts', lines(401))).toEqual([
      'src/core/x.ts: 401 lines are too many, split it',
    ]);
    expect(complaintsAbout('test/x.test.ts', lines(600))).toEqual([]);
    expect(complaintsAbout('test/x.test.ts', lines(601))).toHaveLength(1);
    for (const folder of ['core', 'ports', 'runtime/phases']) {
      const path = `src/${folder}/x.ts`;
      expect(complaintsAbout(path, 'const x = 1;')).toEqual([
        `${path}: say in a header what it is`,
      ]);
    }
  });

  test.each<[string, string]>([
    ['src/core/x.ts', 'const at = new Date(now).toISOString();'],
    ['src/core/x.ts', '// Date.now() would break a replay'],
    ['src/cli/x.ts', "const text = 'export default serial({ Date.now() })';"],
    ['src/cli/x.ts', 'const text = `\nexport default x;\n`;'],
    ['src/adapters/system/clock.ts', 'const now = Date.now(); setTimeout(go, 5);'],
    ['src/config.ts', "const key = process.env['KEY'];"],
    ['src/ports/x.ts', "export type Expected = 'no-stream' | 'any';"],
    ['src/testing/x.ts', 'const signal = AbortSignal.any([one, two]);'],
    ['test/x.test.ts', "test.skipIf(noServer)('x', () => {});"],
    ['machines/x/machine.ts', 'export default machine;'],
    ['test/x.test.ts', 'setTimeout(go, 5); const now = Date.now();'],
  ])('is none in %s: %s', (path, line) => {
    expect(complaintsAbout(path, `/** What it is. */\n${line}\n`)).toEqual([]);
  });
});

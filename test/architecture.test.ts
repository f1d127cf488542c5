/**
 * Who may import whom, as an allow-list: what a layer is not allowed by name it may not import, and a folder that is
 * in no layer may import nothing until somebody decides. Type-only imports, dynamic imports and re-exports count.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Layer {
  /** Layers that it may import, besides itself; `*` is all of them. */
  readonly layers: readonly string[];
  /** Packages; `node:*` is every module of Node, `*` whatever package.json declares. */
  readonly packages: readonly string[];
}

export const layerTable: Readonly<Record<string, Layer>> = {
  core: { layers: [], packages: ['zod', 'xstate', 'node:crypto'] },
  ports: { layers: ['core'], packages: [] },
  authoring: { layers: ['core', 'ports'], packages: ['zod', 'xstate'] },
  // pino: the type of a logger, which is handed in.
  runtime: { layers: ['core', 'ports', 'authoring'], packages: ['zod', 'xstate', 'pino'] },
  // An adapter never imports another one: every `adapters/<vendor>` is a layer of its own.
  'adapters/*': { layers: ['core', 'ports'], packages: ['*'] },
  // What adapters of models have in common that reach them over a network.
  'adapters/model-calls': { layers: [], packages: [] },
  'adapters/anthropic': { layers: ['core', 'ports', 'adapters/model-calls'], packages: ['*'] },
  'adapters/openai-compatible': {
    layers: ['core', 'ports', 'adapters/model-calls'],
    packages: ['*'],
  },
  // It reads and writes the same messages as the gateway, from the other end.
  'adapters/kurrentdb': { layers: ['core', 'ports', 'kurrent-protocol'], packages: ['*'] },
  // KurrentDB's messages as they stand on the wire, for both ends of it.
  'kurrent-protocol': { layers: [], packages: [] },
  // The embedded store in KurrentDB's own protocol.
  'kurrent-gateway': {
    layers: ['core', 'ports', 'kurrent-protocol'],
    packages: ['@grpc/grpc-js', 'node:*'],
  },
  // The composition root, and the parts it is made of.
  main: { layers: ['*'], packages: ['*'] },
  composition: { layers: ['*'], packages: ['*'] },
  index: { layers: ['core', 'ports', 'authoring', 'runtime', 'main'], packages: [] },
  // It reads ecl.yaml through the adapter of the file system, and the environment itself.
  config: { layers: ['core', 'adapters/filesystem'], packages: ['zod', 'node:path'] },
  // It hands requests to the runtime and knows no adapter: what it needs of one is handed in.
  http: { layers: ['core', 'ports', 'authoring', 'runtime'], packages: ['*'] },
  cli: {
    layers: [
      'core',
      'ports',
      'authoring',
      'runtime',
      'http',
      'main',
      'composition',
      'config',
      'index',
    ],
    packages: ['*'],
  },
  testing: {
    layers: [
      'core',
      'ports',
      'authoring',
      'runtime',
      'adapters/memory',
      'adapters/scripted',
      'main',
    ],
    packages: ['xstate', 'zod', 'pino'],
  },
  // Written as a user would write them: copied into a project of theirs they run unchanged.
  machines: { layers: [], packages: ['ecl', 'xstate', '@xstate/store', 'zod'] },
  projections: { layers: [], packages: ['ecl', 'xstate', '@xstate/store', 'zod'] },
};

/** Files that are a layer by themselves. */
const topFiles = ['main', 'index', 'config'];

/** Of all of XState's parts that do something, core uses this one: it makes the refs of the inert scope. */
const xstateValuesOfCore = ['createActor'];

/** The layer of a file, by its path from the root of the repository; undefined where nobody decided. */
const layerOf = (path: string): string | undefined => {
  const [top, second, third] = path.split('/');
  if (top === 'machines' || top === 'projections') return top;
  if (top !== 'src' || second === undefined) return undefined;
  if (second === 'adapters') return third === undefined ? undefined : `adapters/${third}`;
  if (second === 'kurrent-gateway' && third === 'protocol') return 'kurrent-protocol';
  if (third !== undefined) return second in layerTable ? second : undefined;
  const name = second.replace(/\.ts$/, '');
  return topFiles.find((each) => each === name);
};

const ruleOf = (layer: string): Layer | undefined =>
  layerTable[layer] ?? layerTable[layer.startsWith('adapters/') ? 'adapters/*' : layer];

interface Import {
  /** Undefined where it is an expression, which nobody can check. */
  readonly specifier: string | undefined;
  readonly text: string;
}

/** Without comments and template texts, which may show imports that are none. */
const codeOf = (source: string): string =>
  source.replaceAll(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|`(?:\\[\s\S]|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, text: string | undefined) => text ?? '``',
  );

const importsOf = (source: string): Import[] => {
  const code = codeOf(source);
  const found: Import[] = [];
  const patterns = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /(?<![.\w])(?:import|require)\(\s*(?:['"]([^'"]+)['"]\s*\)|)/g,
  ];
  for (const pattern of patterns) {
    for (const [text, specifier] of code.matchAll(pattern))
      found.push({ specifier, text: text.trim() });
  }
  return found;
};

const isAllowedPackage = (allowed: readonly string[], specifier: string): boolean => {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
  const isNode = specifier.startsWith('node:');
  return allowed.some((each) => each === '*' || each === name || (isNode && each === 'node:*'));
};

const isAllowedLayer = (from: string, to: string): boolean => {
  const { layers } = ruleOf(from)!;
  return from === to || layers.includes('*') || layers.includes(to);
};

/** What is wrong with the imports of one file. */
const violationsOf = (path: string, source: string): string[] => {
  const layer = layerOf(path);
  if (layer === undefined || ruleOf(layer) === undefined) {
    return [`${path} is in no layer: give it a line in the table`];
  }
  return importsOf(source).flatMap(({ specifier, text }) => {
    if (specifier === undefined) {
      // Loading what a user names is what the module loader and `init` are for.
      return isAllowedPackage(ruleOf(layer)!.packages, 'any')
        ? []
        : [`${path} imports an expression: ${text}`];
    }
    if (!specifier.startsWith('.')) {
      const ok = isAllowedPackage(ruleOf(layer)!.packages, specifier);
      return ok ? [] : [`${path} (${layer}) may not import the package ${specifier}`];
    }
    const target = posix.join(posix.dirname(path), specifier);
    const to = layerOf(target);
    if (to !== undefined && isAllowedLayer(layer, to)) return [];
    return [`${path} (${layer}) may not import ${target} (${to ?? 'no layer'})`];
  });
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['src', 'machines', 'projections'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the sources', () => {
  test('import only what their layer may', () => {
    expect(sources.flatMap((path) => violationsOf(path, textOf(path)))).toEqual([]);
  });

  test('are all looked at, with all their imports', () => {
    const count = sources.reduce((sum, path) => sum + importsOf(textOf(path)).length, 0);
    expect(sources.length).toBeGreaterThan(100);
    expect(count).toBeGreaterThan(sources.length * 2);
  });

  test('of core use one living part of XState', () => {
    const used = sources
      .filter((path) => layerOf(path) === 'core')
      .flatMap((path) => [...codeOf(textOf(path)).matchAll(/^import \{([^}]*)\} from 'xstate'/gm)])
      .flatMap(([, names]) => names!.split(',').map((name) => name.trim()))
      .filter((name) => name !== '' && !name.startsWith('type '));
    expect(new Set(used)).toEqual(new Set(xstateValuesOfCore));
  });
});

describe('a planted violation', () => {
  test.each<[string, string, string]>([
    ['an import', 'src/core/decide.ts', `import { Mailbox } from '../runtime/mailbox.ts';`],
    [
      'one over several lines',
      'src/core/decide.ts',
      `import {\n  Mailbox,\n  type Item,\n} from '../runtime/mailbox.ts';`,
    ],
    ['a type-only import', 'src/core/decide.ts', `import type { Clock } from '../ports/clock.ts';`],
    ['a re-export', 'src/ports/clock.ts', `export { Ecl } from '../runtime/ecl.ts';`],
    ['an export of everything', 'src/ports/clock.ts', `export * from '../runtime/ecl.ts';`],
    [
      'a dynamic import',
      'src/runtime/ecl.ts',
      `const { x } = await import('../adapters/memory/event-store.ts');`,
    ],
    ['a type by import()', 'src/core/decide.ts', `type Clock = import('../ports/clock.ts').Clock;`],
    ['an import for its effect', 'src/core/decide.ts', `import '../main.ts';`],
    ['a require', 'src/core/decide.ts', `const fs = require('node:fs');`],
    ['an import of an expression', 'src/core/decide.ts', `await import(name);`],
    ['a package', 'src/core/decide.ts', `import { readFile } from 'node:fs/promises';`],
    ['a part of a package', 'src/ports/clock.ts', `import { z } from 'zod/mini';`],
    [
      'an adapter in an adapter',
      'src/adapters/sqlite/driver.ts',
      `import { x } from '../memory/changes.ts';`,
    ],
    [
      'the runtime in an adapter',
      'src/adapters/sqlite/driver.ts',
      `import { x } from '../../runtime/ecl.ts';`,
    ],
    ['the command line in the runtime', 'src/runtime/ecl.ts', `import { x } from '../cli/bin.ts';`],
    [
      'an adapter in the command line',
      'src/cli/open.ts',
      `import { x } from '../adapters/sqlite/lock.ts';`,
    ],
    [
      'a source in a machine',
      'machines/x/machine.ts',
      `import { step } from '../../src/authoring/step.ts';`,
    ],
    ['Node in a machine', 'machines/x/machine.ts', `import { readFileSync } from 'node:fs';`],
    [
      'a machine in a projection',
      'projections/x.ts',
      `import { m } from '../machines/x/machine.ts';`,
    ],
    ['a folder in no layer', 'src/surprise/x.ts', `export const x = 1;`],
    ['a file in no layer', 'src/surprise.ts', `export const x = 1;`],
    ['the package’s own name in core', 'src/core/decide.ts', `import { step } from 'ecl';`],
  ])('is caught: %s', (_, path, source) => {
    expect(violationsOf(path, source)).toHaveLength(1);
  });

  test.each<[string, string, string]>([
    ['of its own layer', 'src/core/decide.ts', `import { evolve } from './evolve.ts';`],
    ['inwards', 'src/runtime/phases/running.ts', `import { owed } from '../../core/effects.ts';`],
    ['of an allowed package', 'src/core/decide.ts', `import { z } from 'zod';`],
    [
      'in a comment',
      'src/core/decide.ts',
      `/** import { x } from '../runtime/ecl.ts'; */\n// import('../main.ts')`,
    ],
    ['in a template', 'src/core/decide.ts', 'const text = `\nimport { x } from "../main.ts";\n`;'],
  ])('is none: an import %s', (_, path, source) => {
    expect(violationsOf(path, source)).toEqual([]);
  });
});

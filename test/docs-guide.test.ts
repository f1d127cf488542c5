/**
 * The documentation's code is what it says: every TypeScript block that names a file is compiled under the project's own
 * settings and run. Blocks of one page are files of one folder.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const project = dirname(here);

interface Block {
  readonly file: string;
  readonly code: string;
}

const blocksOf = (page: string): { blocks: Block[]; unnamed: number } => {
  const text = readFileSync(join(project, 'docs', page), 'utf8');
  const codes = Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = '']) => code);
  const blocks = codes.flatMap((code) => {
    const file = /^\/\/ ([\w-]+(?:\.test)?\.ts)\n/.exec(code)?.[1];
    return file === undefined ? [] : [{ file, code }];
  });
  return { blocks, unnamed: codes.length - blocks.length };
};

// Within the project, so that `ecl`, `xstate` and `zod` are found as a user's project finds them.
const scratch = mkdtempSync(join(here, '.docs-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const pages = ['guide.md', 'projections.md', 'testing.md'].map((page) => {
  const folder = join(scratch, page.replace('.md', ''));
  const { blocks, unnamed } = blocksOf(page);
  mkdirSync(folder);
  for (const { file, code } of blocks) writeFileSync(join(folder, file), code);
  return { page, folder, blocks, unnamed };
});

writeFileSync(
  join(scratch, 'tsconfig.json'),
  JSON.stringify({
    extends: join(project, 'tsconfig.json'),
    compilerOptions: { noEmit: true, rootDir: project },
    include: ['*/*.ts'],
  }),
);

for (const { page, folder, blocks, unnamed } of pages) {
  describe(`docs/${page}`, async () => {
    it('names a file in each of its TypeScript blocks', () => {
      expect(unnamed).toBe(0);
      expect(blocks.length).toBeGreaterThan(3);
      expect(new Set(blocks.map(({ file }) => file)).size).toBe(blocks.length);
    });

    // Importing a page's test files registers their tests here.
    for (const { file } of blocks.filter((block) => block.file.endsWith('.test.ts'))) {
      await import(/* @vite-ignore */ join(folder, file));
    }
  });
}

const complaintsAbout = (folder: string): string => {
  const compiler = join(project, 'node_modules', '.bin', 'tsc');
  try {
    execFileSync(compiler, ['-p', folder], { cwd: project, encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
};

it('the code of the documentation compiles', () => {
  expect(complaintsAbout(scratch)).toBe('');
});

it('it compiles in a project that has the package installed, with the settings of `tsc --init`', () => {
  const user = mkdtempSync(join(tmpdir(), 'ecl-user-'));
  try {
    for (const each of ['node_modules/@xstate', 'src']) {
      mkdirSync(join(user, each), { recursive: true });
    }
    symlinkSync(project, join(user, 'node_modules', 'ecl'));
    for (const name of ['xstate', 'zod', 'vitest', '@xstate/store']) {
      symlinkSync(join(project, 'node_modules', name), join(user, 'node_modules', name));
    }
    for (const { page, blocks } of pages) {
      mkdirSync(join(user, 'src', page));
      for (const { file, code } of blocks) writeFileSync(join(user, 'src', page, file), code);
    }
    const compilerOptions = {
      module: 'nodenext',
      target: 'esnext',
      types: [],
      sourceMap: true,
      declaration: true,
      declarationMap: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      strict: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      moduleDetection: 'force',
      skipLibCheck: true,
      // The guide's own two.
      allowImportingTsExtensions: true,
      noEmit: true,
      // The package stands in the project's node_modules, not where the link leads.
      preserveSymlinks: true,
    };
    writeFileSync(join(user, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(
      join(user, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['src'] }),
    );
    expect(complaintsAbout(user)).toBe('');
  } finally {
    rmSync(user, { recursive: true });
  }
});

it('the program of the guide runs', async () => {
  const before = process.cwd();
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  process.chdir(scratch);
  try {
    await import(/* @vite-ignore */ join(scratch, 'guide', 'publish.ts'));
    expect(log).toHaveBeenCalledWith('The sea is wide.');
  } finally {
    process.chdir(before);
    log.mockRestore();
  }
});

it('the modules of the guide are workflows that the runtime takes', async () => {
  const { Registry } = await import('../src/runtime/registry.ts');
  for (const [file, name] of [
    ['article.ts', 'article'],
    ['letter.ts', 'letter'],
    ['newsletter.ts', 'newsletter'],
  ] as const) {
    const module = (await import(/* @vite-ignore */ join(scratch, 'guide', file))) as object;
    const registered = new Registry().register(module[name as keyof typeof module]);
    expect(registered.workflow.id).toBe(name);
  }
});

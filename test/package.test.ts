/** The package as npm packs it: nothing in it points at what is not in it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const packed = (): string[] => {
  const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(json) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
};

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Targets of links within the package, without their anchors; code shows links of others. */
const linksOf = (page: string): string[] =>
  Array.from(
    read(page)
      .replaceAll(/^```[\s\S]*?^```$/gm, '')
      .matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g),
    ([, target = '']) => posix.join(posix.dirname(page), target),
  );

const files = packed();

test('every link of a page that is shipped leads to a file that is shipped', () => {
  const pages = files.filter((path) => path.endsWith('.md'));
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/guide.md']));
  const links = pages.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  expect(links.length).toBeGreaterThan(20);
  const isShipped = (target: string): boolean =>
    files.some((path) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`));
  expect(links.filter(({ target }) => !isShipped(target))).toEqual([]);
});

test('no code of the package names a source map, whose sources are not shipped', () => {
  expect(files).toContain('dist/src/index.js');
  const named = files.filter(
    (path) =>
      path.endsWith('.map') || (/\.[jt]s$/.test(path) && read(path).includes('sourceMappingURL=')),
  );
  expect(named).toEqual([]);
});

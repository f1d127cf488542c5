/**
 * Builds dist/ when a source is newer, before any test: tests that start processes run the built package, since Node 20
 * runs no TypeScript. Types are not checked here; `npm run types` does that.
 */
import { spawnSync } from 'node:child_process';

export const setup = (): void => {
  const build = ['scripts/build.mjs', '--if-stale', '--no-check'];
  const { status } = spawnSync(process.execPath, build, { stdio: 'inherit' });
  if (status !== 0) throw new Error('dist/ cannot be built: see `npm run build`');
};

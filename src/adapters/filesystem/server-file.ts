/**
 * Where a server tells the command line on its machine that it is there: `server.json` in the folder of the store,
 * mode 0600, since it holds a token.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readPrivateJson, writePrivateJson } from './private-json.ts';

const ServerFile = z.object({
  url: z.string(),
  token: z.string(),
  pid: z.number().int(),
});
export type ServerFile = z.infer<typeof ServerFile>;

export const serverFileName = 'server.json';

export const writeServerFile = (folder: string, server: ServerFile): string => {
  const path = join(folder, serverFileName);
  writePrivateJson(path, server);
  return path;
};

/** What stands there, or undefined where nothing of use does: it is a hint, not a store. */
export const readServerFile = (folder: string): ServerFile | undefined => {
  try {
    return ServerFile.parse(readPrivateJson(join(folder, serverFileName)));
  } catch {
    return undefined;
  }
};

/** Removes the file, unless another server has written its own meanwhile. */
export const removeServerFile = (folder: string, pid: number): void => {
  if (readServerFile(folder)?.pid === pid) rmSync(join(folder, serverFileName), { force: true });
};

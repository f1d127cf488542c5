/**
 * Part of the composition root: where a server and the command line on its machine meet. The folder of the store holds
 * the server's address and the tokens.
 */
import { resolve } from 'node:path';
import { readInputFile } from '../adapters/filesystem/input-file.ts';
import { readServerFile, type ServerFile } from '../adapters/filesystem/server-file.ts';
import { createFileTokenStore } from '../adapters/filesystem/token-store.ts';
import { isAlive } from '../adapters/sqlite/is-alive.ts';
import { createSecret } from '../adapters/system/secret.ts';
import type { EclClient } from '../http/client/index.ts';
import type { TokenStore } from '../ports/token-store.ts';
import { InputFiles } from '../runtime/input-files.ts';

/** Where a store keeps what belongs to this machine: a store on a server has a folder of its own for it. */
export const folderOfStore = (store: string, dataFolder = '.ecl'): string =>
  resolve(store.startsWith('sqlite:') ? store.slice('sqlite:'.length) : dataFolder);

export const openTokens = (folder: string): TokenStore =>
  createFileTokenStore({ folder, createSecret });

/** The server that says that it holds the store of this folder, unless its process is gone. */
export const serverOf = (folder: string): ServerFile | undefined => {
  const server = readServerFile(folder);
  return server !== undefined && isAlive(server.pid) ? server : undefined;
};

/** Files that an input names by their path are brought to the server, and stand in the input as references. */
export const inputFilesFor = (client: EclClient, tenant: string | undefined): InputFiles =>
  new InputFiles(
    {
      put: (content) => client.upload(content, tenant === undefined ? {} : { tenant }),
    },
    readInputFile,
  );

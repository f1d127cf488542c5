/** A server on a real socket over a real store, with workflows that show what a server does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach } from 'vitest';
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { createEcl, serial, step, workflow, type Ecl, type EclOptions } from 'ecl';
import type { Api } from '../../src/http/api.ts';
import { toWorkflow, type WorkflowLike } from '../../src/authoring/workflow.ts';
import type { Scope } from '../../src/ports/token-store.ts';
import { openTokens } from '../../src/composition/server-place.ts';
import { serve, type ServeOptions, type Serving } from '../../src/composition/serving.ts';
import { EclError } from '../../src/core/errors.ts';

/** Adds one to what it is given. */
export const addOne = serial({
  id: 'add-one',
  version: '1.0.0',
  steps: [
    step({
      name: 'add',
      input: z.object({ value: z.number() }),
      output: z.object({ value: z.number() }),
      execute: ({ input }) => ({ value: input.value + 1 }),
    }),
  ],
});

/** Waits for a decision, and counts what it is told meanwhile. */
export const offer = workflow({
  machine: setup({
    types: {
      context: {} as { notes: number },
      events: {} as { type: 'approved'; by?: string } | { type: 'noted' } | { type: 'reopened' },
    },
  }).createMachine({
    id: 'offer',
    version: '1.0.0',
    context: { notes: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          approved: 'done',
          noted: { actions: assign({ notes: ({ context }) => context.notes + 1 }) },
        },
      },
      // Only here may it be opened again, so that this is known and not possible before.
      paused: { on: { reopened: 'open' } },
      done: { type: 'final' },
    },
    output: ({ context }) => ({ notes: context.notes }),
  }),
  input: z.object({ title: z.string() }).partial(),
});

/** Shows what a model gives while it gives it. */
export const tell = serial({
  id: 'tell',
  version: '1.0.0',
  steps: [
    step({
      name: 'story',
      input: z.object({ topic: z.string() }),
      output: z.object({ text: z.string() }),
      execute: async ({ input, model }) => {
        let text = '';
        for await (const piece of model.stream(`Tell of ${input.topic}.`)) text += piece;
        return { text };
      },
    }),
  ],
});

const folders: string[] = [];
const open: { ecl: Ecl; serving: Serving }[] = [];

afterEach(async () => {
  for (const { ecl, serving } of open.splice(0)) {
    await serving.close();
    await ecl.close({ graceMs: 0 });
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ecl-http-'));
  folders.push(folder);
  return folder;
};

export interface Served {
  readonly ecl: Ecl;
  readonly serving: Serving;
  readonly url: string;
  readonly folder: string;
  /** A token as `ecl token create` makes it. */
  token(grant?: { tenant?: string; scope?: Scope }): string;
  /** Sends a request, by default with the token of the server itself. */
  fetch(path: string, init?: RequestInit & { token?: string | null }): Promise<Response>;
  post(path: string, body: unknown, init?: RequestInit & { token?: string }): Promise<Response>;
  /** Stops the server and what it serves, as a process that ends does. */
  stop(): Promise<void>;
}

export interface Options extends Pick<EclOptions, 'model' | 'store' | 'clock'> {
  readonly folder?: string;
  readonly workflows?: readonly WorkflowLike[];
  /** Where the server finds workflows. @default among `workflows` */
  readonly source?: Api['workflows'];
  readonly serve?: Partial<Pick<ServeOptions, 'limits' | 'host' | 'port' | 'auth'>>;
}

const sourceOf = (workflows: readonly WorkflowLike[]): Api['workflows'] => {
  const all = workflows.map((each) => ({
    workflow: toWorkflow(each),
    module: undefined,
    origin: 'built-in',
  }));
  return {
    all: () => Promise.resolve(all),
    find: (target) => {
      const found = all.find(({ workflow: { id } }) => id === target);
      if (found !== undefined) return Promise.resolve(found);
      return Promise.reject(new EclError('workflow.not-found', { workflow: target, nearest: '' }));
    },
  };
};

export const startServer = async (options: Options = {}): Promise<Served> => {
  const folder = options.folder ?? temporaryFolder();
  const workflows = options.workflows ?? [addOne, offer, tell];
  const ecl = await createEcl({
    store: options.store ?? `sqlite:${folder}`,
    model: options.model ?? 'rules',
    workflows,
    metrics: true,
    logger: pino({ level: process.env['ECL_TEST_LOG'] ?? 'silent' }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const serving = await serve({
    ecl,
    workflows: options.source ?? sourceOf(workflows),
    folder,
    port: 0,
    ...options.serve,
  }).catch(async (error: unknown) => {
    await ecl.close({ graceMs: 0 });
    throw error;
  });
  const entry = { ecl, serving };
  open.push(entry);
  const tokens = openTokens(folder);
  const { url } = serving;
  const send: Served['fetch'] = (path, { token, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('authorization', `Bearer ${token ?? serving.token}`);
    return fetch(`${url}${path}`, { ...init, headers });
  };
  return {
    ecl,
    serving,
    url,
    folder,
    token: ({ tenant = 'default', scope = 'write' } = {}) =>
      tokens.create({ tenant, scope, now: Date.now() }).token,
    fetch: send,
    post: (path, body, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('content-type', 'application/json');
      return send(path, { ...init, method: 'POST', headers, body: JSON.stringify(body) });
    },
    stop: async () => {
      open.splice(open.indexOf(entry), 1);
      await serving.close();
      await ecl.close({ graceMs: 0 });
    },
  };
};

/** What an answer holds, as JSON. */
// oxlint-disable-next-line typescript/no-explicit-any
export const jsonOf = async (answer: Response | Promise<Response>): Promise<any> =>
  (await answer).json();

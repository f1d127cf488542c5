/**
 * A model that answers from a script, for tests and demonstrations. It understands nothing of what it is asked.
 *
 * 1. The first entry that matches and is not used up answers; nothing else decides.
 * 2. What is used up is remembered in memory only. A process that starts again has the whole script before it, but asks
 *    only what was not journaled: scripts of runs that are interrupted match on content and say `times: 'always'`.
 * 3. A request that nothing matches is an error that says what was asked.
 */
import { EclError } from '../../core/errors.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../../ports/model.ts';
import { checkScript, readScript, type Script, type ScriptEntry } from './script.ts';

const defaultMaxTokens = 8192;

const textOf = (request: ModelRequest): string =>
  [
    request.system ?? '',
    ...request.messages.map((message) => message.content),
    ...(request.documents ?? []).flatMap((document) => [document.name, document.text]),
  ].join('\n');

const isMatch = ({ match }: ScriptEntry, request: ModelRequest): boolean =>
  (match?.schema === undefined || match.schema === request.output?.name) &&
  (match?.contains === undefined || textOf(request).includes(match.contains));

const describeRequest = (request: ModelRequest): string => {
  const last = request.messages.at(-1);
  const words = (last?.content ?? '').replace(/\s+/g, ' ').trim();
  const shown = words.length > 120 ? `${words.slice(0, 120)}…` : words;
  const output = request.output === undefined ? 'text' : `the output "${request.output.name}"`;
  return `${output} for ${last?.role ?? 'no'} message "${shown}"`;
};

const wait = (delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (delayMs === 0 || signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });

const toReply = (scripted: NonNullable<ScriptEntry['reply']>): ModelReply => {
  const toolCalls = (scripted.toolCalls ?? []).map((call, index) => ({
    id: call.id ?? `call_${index + 1}`,
    name: call.name,
    input: call.input ?? {},
  }));
  const text =
    scripted.text ?? (scripted.object === undefined ? '' : JSON.stringify(scripted.object));
  return {
    model: scripted.model ?? 'scripted',
    text,
    toolCalls,
    stopReason: scripted.stopReason ?? (toolCalls.length > 0 ? 'tool-use' : 'end'),
    usage: scripted.usage ?? { inputTokens: 0, outputTokens: 0 },
  };
};

class ScriptedModel implements Model {
  readonly id: string;
  readonly isLanguageModel = false;
  readonly #script: Script | string;
  readonly #used = new Map<ScriptEntry, number>();
  #entries: Promise<ScriptEntry[]> | undefined;

  constructor(script: Script | string) {
    this.#script = script;
    this.id = typeof script === 'string' ? `scripted:${script}` : 'scripted';
  }

  async complete(request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    const entry = this.#take(await this.#read(), request, options.signal);
    await wait(entry.delayMs ?? 0, options.signal);
    this.#refuseAborted(options.signal);
    if (entry.error !== undefined) {
      const { code, retryAfterMs } = entry.error;
      const limit = request.maxTokens ?? defaultMaxTokens;
      const details = { model: this.id, reason: 'the script says so', limit };
      throw new EclError(code, retryAfterMs === undefined ? details : { ...details, retryAfterMs });
    }
    const reply = toReply(entry.reply ?? {});
    const isPartial = request.output !== undefined || reply.toolCalls.length > 0;
    if (reply.stopReason === 'max-tokens' && isPartial) {
      const limit = request.maxTokens ?? defaultMaxTokens;
      throw new EclError('model.truncated', { model: this.id, limit, usage: reply.usage });
    }
    return reply;
  }

  async *stream(
    request: ModelRequest,
    options: CallOptions,
  ): AsyncGenerator<{ kind: 'text'; text: string } | { kind: 'reply'; reply: ModelReply }> {
    const reply = await this.complete(request, options);
    for (const text of reply.text.match(/\S+\s*|\s+/g) ?? []) {
      this.#refuseAborted(options.signal);
      yield { kind: 'text', text };
    }
    yield { kind: 'reply', reply };
  }

  async #read(): Promise<ScriptEntry[]> {
    this.#entries ??=
      typeof this.#script === 'string'
        ? readScript(this.#script)
        : Promise.resolve(checkScript(this.#script, 'the script'));
    try {
      return await this.#entries;
    } catch (error) {
      // A file that is mended is read again.
      this.#entries = undefined;
      throw error;
    }
  }

  #refuseAborted(signal: AbortSignal): void {
    if (signal.aborted) throw new EclError('model.aborted', { model: this.id });
  }

  /** Finds the entry that answers and counts its use, in one go: calls at the same time never share a use. */
  #take(entries: readonly ScriptEntry[], request: ModelRequest, signal: AbortSignal): ScriptEntry {
    this.#refuseAborted(signal);
    const matching = entries.filter((entry) => isMatch(entry, request));
    for (const entry of matching) {
      const used = this.#used.get(entry) ?? 0;
      const times = entry.times ?? 1;
      if (times !== 'always' && used >= times) continue;
      this.#used.set(entry, used + 1);
      return entry;
    }
    const reason =
      `no entry of the script is left for ${describeRequest(request)} ` +
      `(${entries.length} entries, ${matching.length} match and are used up)`;
    throw new EclError('model.rejected', { model: this.id, reason });
  }
}

/** Creates a model that answers from a script, given as a list or as the path of a file. */
export const createScriptedModel = (script: Script | string): Model => new ScriptedModel(script);

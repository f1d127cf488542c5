/**
 * Claude as a model, through Anthropic's own SDK. It is not a place for retries: one call is one HTTP request.
 *
 * 1. The SDK is loaded with the first call, so that a command that asks no model does not wait for it.
 * 2. Key, address and limits come from the options alone, never from the environment or a profile on the disk.
 * 3. A call ends by its deadline, however slowly the answer drips.
 */
import { EclError } from '../../core/errors.ts';
import type { Model } from '../../ports/model.ts';
import type { Calls } from './calls.ts';

export interface AnthropicModelOptions {
  /** @default `anthropic:<model>` */
  readonly id?: string;
  /** As Anthropic names it: `claude-sonnet-5-5`. */
  readonly model: string;
  readonly apiKey: string;
  /** Without `/v1`. @default 'https://api.anthropic.com' */
  readonly baseUrl?: string;
  /** From the request to the last byte of the answer. @default 10 minutes */
  readonly timeoutMs?: number;
}

/** The options with their defaults filled in. */
export interface AnthropicSettings {
  readonly id: string;
  readonly model: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
}

const settingsOf = (options: AnthropicModelOptions): AnthropicSettings => ({
  id: options.id ?? `anthropic:${options.model}`,
  model: options.model,
  apiKey: options.apiKey.trim(),
  baseUrl: (options.baseUrl ?? 'https://api.anthropic.com').replace(/\/+$/, ''),
  timeoutMs: options.timeoutMs ?? 10 * 60 * 1000,
});

/** The key is checked here: the error of a header that cannot be sent would show it. */
const checkKey = ({ id, apiKey }: AnthropicSettings): void => {
  if (/^[\x21-\x7e]+$/.test(apiKey)) return;
  const reason =
    apiKey === '' ? 'there is no API key' : 'the API key has characters that no key has';
  throw new EclError('model.credentials', { model: id, reason });
};

/** Creates a model that answers by Anthropic's Messages API. */
export const createAnthropicModel = (options: AnthropicModelOptions): Model => {
  const settings = settingsOf(options);
  let loading: Promise<Calls> | undefined;

  const load = async (): Promise<Calls> => {
    checkKey(settings);
    loading ??= import('./calls.ts').then(({ createCalls }) => createCalls(settings));
    try {
      return await loading;
    } catch (error) {
      loading = undefined;
      const reason = 'the SDK cannot be loaded';
      throw new EclError('model.unavailable', { model: settings.id, reason }, { cause: error });
    }
  };

  return {
    id: settings.id,
    isLanguageModel: true,
    complete: async (request, options) => (await load()).complete(request, options),
    stream: async function* stream(request, options) {
      yield* (await load()).stream(request, options);
    },
  };
};

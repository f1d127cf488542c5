/**
 * What a model call costs: list prices in USD per million tokens, by model family.
 *
 * It is a table of list prices on one day, not an invoice: discounts, batch and regional rates are not in it, and a
 * configuration overrides any of it.
 *
 * 1. A cost that is not known is unknown, with the reason; it is never 0.
 * 2. A family matches its exact name, or its name and a date: `claude-opus-5` is never taken for `claude-opus-5-5`.
 * 3. Only models that run inside ECL are free.
 */

/** The day whose published list the table follows. */
export const pricesDate = '2026-10-24';

export interface TokenPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Writing a cache entry that lives 5 minutes, the only kind that ECL's adapters can cause. */
  readonly cacheWrite: number;
}

export interface Price extends TokenPrice {
  /** Prompts longer than this (cache reads and writes counted in) cost the other price, answer included. */
  readonly longPrompt?: TokenPrice & { readonly overTokens: number };
}

/** Tokens of one call; `inputTokens` leaves out what was read from or written to a cache. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
}

export type Cost = { readonly usd: number } | { readonly unknown: true; readonly reason: string };

/** Prices by model name, or by model id as configured (`openai-compatible:<url>#<model>`). */
export type PriceOverrides = Readonly<Record<string, Price>>;

const price = (input: number, output: number, cacheRead = input / 10): TokenPrice => ({
  input,
  output,
  cacheRead,
  cacheWrite: input * 1.25,
});

// Source: the table "Model pricing" of Anthropic's documentation (platform.claude.com, About Claude, Pricing) and the
// page of each current model. Models whose price was not found there are left out on purpose.
export const listPrices: Readonly<Record<string, Price>> = {
  'claude-haiku-5-5': {
    ...price(0.1, 0.5),
    longPrompt: { overTokens: 100_000, ...price(0.5, 2.5) },
  },
  'claude-sonnet-5-5': price(2, 10, 0.1),
  'claude-opus-5-5': price(4, 20, 0.2),
  'claude-fable-5-1': price(10, 50, 0.25),
  'claude-mythos-5-1': price(10, 50, 0.25),
  'claude-fable-5': price(10, 50),
  'claude-mythos-5': price(10, 50),
  'claude-sonnet-5': price(2, 10),
  'claude-opus-5': price(5, 25),
  'claude-opus-4-8': price(5, 25),
  'claude-opus-4-7': price(5, 25),
  'claude-opus-4-6': price(5, 25),
  'claude-opus-4-5': price(5, 25),
  'claude-opus-4-1': price(15, 75),
  'claude-opus-4': price(15, 75),
  'claude-sonnet-4-6': price(3, 15),
  'claude-sonnet-4-5': price(3, 15),
  'claude-sonnet-4': price(3, 15),
  'claude-haiku-4-5': price(1, 5),
  'claude-3-7-sonnet': price(3, 15),
  'claude-3-5-haiku': price(0.8, 4),
};

/** Models that run inside ECL: nobody is paid for them. */
const freeModels: ReadonlySet<string> = new Set(['rules', 'scripted']);

const datePattern = /(-latest|[-@]\d{8})$/;

const lookUp = (table: Readonly<Record<string, Price>>, name: string): Price | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const nameAfterProvider = (model: string): string =>
  model.startsWith('openai-compatible:')
    ? model.slice(model.indexOf('#') + 1)
    : model.replace(/^anthropic:/, '');

/** The price of a model, by name or by id; undefined where it is not known. */
export const priceOf = (model: string, overrides: PriceOverrides = {}): Price | undefined => {
  const name = nameAfterProvider(model);
  const family = name.replace(datePattern, '');
  const configured =
    lookUp(overrides, model) ?? lookUp(overrides, name) ?? lookUp(overrides, family);
  // A model behind somebody's own address may carry any name: the published list says nothing of it.
  if (configured !== undefined || model.startsWith('openai-compatible:')) return configured;
  return lookUp(listPrices, family);
};

const isCount = (tokens: number): boolean => Number.isFinite(tokens) && tokens >= 0;

const chargeOf = (usage: Required<TokenUsage>, rate: TokenPrice): Cost => {
  const microUsd =
    usage.inputTokens * rate.input +
    usage.outputTokens * rate.output +
    usage.cacheReadTokens * rate.cacheRead +
    usage.cacheWriteTokens * rate.cacheWrite;
  // To the billionth of a dollar, so that a journal does not record the noise of binary fractions.
  return { usd: Math.round(microUsd * 1000) / 1e9 };
};

/**
 * What a call costs.
 * @param model the configured id (`anthropic:claude-sonnet-5-5`, `rules`) or the name a provider replied with
 */
export const costOf = (
  model: string,
  usage: TokenUsage | undefined,
  overrides: PriceOverrides = {},
): Cost => {
  const isFree = freeModels.has(model) || model.startsWith('scripted:');
  if (isFree && lookUp(overrides, model) === undefined) return { usd: 0 };
  if (usage === undefined) return { unknown: true, reason: `${model} did not report its usage` };
  const known = priceOf(model, overrides);
  if (known === undefined) return { unknown: true, reason: `no price is known for ${model}` };
  const full = { cacheReadTokens: 0, cacheWriteTokens: 0, ...usage };
  if (!Object.values(full).every(isCount)) {
    return { unknown: true, reason: `${model} reported a usage that is not a count of tokens` };
  }
  const promptTokens = full.inputTokens + full.cacheReadTokens + full.cacheWriteTokens;
  const isLong = known.longPrompt !== undefined && promptTokens > known.longPrompt.overTokens;
  return chargeOf(full, isLong ? known.longPrompt : known);
};

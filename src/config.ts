/** Configuration: the only reader of the environment. */

export interface Environment {
  readonly anthropicApiKey: string | undefined;
  readonly anthropicBaseUrl: string | undefined;
  readonly openAiApiKey: string | undefined;
}

const given = (name: string): string | undefined => {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
};

export const environment = (): Environment => ({
  anthropicApiKey: given('ANTHROPIC_API_KEY'),
  anthropicBaseUrl: given('ECL_ANTHROPIC_BASE_URL'),
  openAiApiKey: given('ECL_OPENAI_API_KEY'),
});

/** Documents that a step reads and writes: the blob first, then the event that names it. */
import type { StepArtifacts } from '../authoring/step-scope.ts';
import { EclError } from '../core/errors.ts';
import type { Execution } from './model-calls.ts';

const nameRule = /^[^/\\\0]{1,200}$/;

export const stepArtifacts = ({
  services,
  actor,
  step,
  observation,
}: Execution): StepArtifacts => ({
  async write({ name, content, mediaType = 'text/markdown' }) {
    if (!nameRule.test(name) || name === '.' || name === '..') {
      throw new EclError('id.invalid', {
        what: 'The artifact name',
        value: name,
        rule: '1 to 200 characters without slashes',
      });
    }
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    const stored = await services.artifacts.put(bytes);
    const reference = { name, sha256: stored.sha256, bytes: stored.bytes, mediaType };
    await actor.submit(
      (state) => {
        const known = state.artifacts.some(
          (each) => each.name === name && each.sha256 === stored.sha256,
        );
        if (known || !state.steps.has(step.invocation)) return undefined;
        return { type: 'ArtifactStored', data: { ...reference, invocation: step.invocation } };
      },
      { whenAway: 'wait', asOwner: true, trace: observation?.trace },
    );
    return reference;
  },
  read: ({ sha256 }) => services.artifacts.get(sha256),
  text: async ({ sha256 }) => Buffer.from(await services.artifacts.get(sha256)).toString('utf8'),
});

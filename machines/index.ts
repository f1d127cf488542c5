/** The workflows that come with ECL. */
export { critiqueRevise } from './critique-revise/machine.ts';
export { documentReview } from './document-review/machine.ts';

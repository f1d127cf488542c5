/** The read models that ECL keeps. */
export { runSummaries } from './run-summaries.ts';

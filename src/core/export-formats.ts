/** What a workflow's machine can be written as. */
export const exportFormats = ['stately', 'json', 'mermaid', 'svg'] as const;
export type ExportFormat = (typeof exportFormats)[number];

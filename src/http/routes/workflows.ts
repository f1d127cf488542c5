/** Workflows that runs can be started of, and their machines for other tools. */
import { z } from 'zod';
import type { Api, ServedWorkflow } from '../api.ts';
import { pageOf } from '../contract/page.ts';
import { Workflow, WorkflowExport } from '../contract/status.ts';
import { answersJson, problems, route, type Route } from '../route.ts';

const jsonSchema = (schema: z.ZodType | undefined): unknown =>
  schema === undefined ? null : z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

const documentOf = ({ workflow, origin }: ServedWorkflow): z.infer<typeof Workflow> => ({
  id: workflow.id,
  version: workflow.version,
  description: workflow.description ?? null,
  // Where modules lie on the server's disk is no client's business.
  origin: origin === 'built-in' ? origin : (origin.split(/[/\\]/).at(-1) ?? origin),
  input: jsonSchema(workflow.input),
});

const formats = ['stately', 'json', 'mermaid'] as const;

const contentOf = async (
  format: (typeof formats)[number],
  { workflow: { machine } }: ServedWorkflow,
): Promise<unknown> => {
  switch (format) {
    case 'json':
      return (await import('../../core/export-config.ts')).exportConfig(machine);
    case 'mermaid':
      return (await import('../../core/export-mermaid.ts')).exportMermaid(machine);
    default:
      return (await import('../../core/export-stately.ts')).exportStately(machine);
  }
};

const WorkflowPath = z.object({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .meta({ description: 'Id of a workflow' }),
});

const listWorkflows = ({ workflows }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/workflows',
    operationId: 'listWorkflows',
    tag: 'Workflows',
    summary: 'Workflows that runs can be started of',
    scope: 'read',
    answers: {
      200: answersJson(pageOf(Workflow, 'WorkflowPage'), 'All workflows'),
      ...problems(),
    },
    handle: async (context) => {
      const all = await workflows.all();
      return context.json({ items: all.map(documentOf) });
    },
  });

const getWorkflow = ({ workflows }: Api): Route =>
  route({
    method: 'get',
    path: '/api/v1/workflows/{id}',
    operationId: 'getWorkflow',
    tag: 'Workflows',
    summary: 'A workflow, or with `format` its machine for another tool',
    scope: 'read',
    takes: {
      params: WorkflowPath,
      query: z.strictObject({ format: z.enum(formats).optional() }),
    },
    answers: {
      200: answersJson(z.union([Workflow, WorkflowExport]), 'The workflow'),
      ...problems(404),
    },
    handle: async (context, { params, query }) => {
      const found = await workflows.find(params.id);
      const { format } = query;
      if (format === undefined) return context.json(documentOf(found));
      const { id, version } = found.workflow;
      const content = await contentOf(format, found);
      return context.json({ workflow: id, version, format, content });
    },
  });

export const workflowRoutes = (api: Api): Route[] => [listWorkflows(api), getWorkflow(api)];

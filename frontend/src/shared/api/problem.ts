import * as z from 'zod';

const quotaSchema = z.object({
  name: z.enum(['running_runs', 'jobs_per_month', 'input_bytes_per_month']),
  subject: z.enum(['person', 'organization']),
  most: z.number(),
  used: z.number(),
  wanted: z.number(),
  /** Null: when something of one's own ends, or never. */
  frees_at: z.string().nullable(),
});
export type QuotaProblem = z.infer<typeof quotaSchema>;

/** RFC 9457, as every service answers it: `code` is stable, `detail` is for people. */
const problemSchema = z.object({
  status: z.number(),
  title: z.string(),
  detail: z.string().optional(),
  code: z.string().optional(),
  request_id: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  quota: quotaSchema.optional(),
});
type Problem = z.infer<typeof problemSchema>;

export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: { field: string; message: string }[];
  /** The quota that is used up. */
  readonly quota: QuotaProblem | undefined;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.code = problem.code ?? '';
    this.requestId = problem.request_id;
    this.fields = problem.errors ?? [];
    this.quota = problem.quota;
  }
}

export function readProblem(status: number, body: unknown): ProblemError {
  const parsed = problemSchema.safeParse(body);
  return new ProblemError(parsed.success ? parsed.data : { status, title: `HTTP ${status}` });
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What openapi-fetch answers, as a value or an exception: what TanStack Query wants. */
export async function unwrap<T>(promise: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await promise;
  if (!response.ok) throw readProblem(response.status, error);
  return data as T;
}

import { BackendSrv } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';

/** Calls of the configuration page, which has no data source instance to call through. */
export class StoreApi {
  private readonly base: string;

  constructor(
    private readonly backend: BackendSrv,
    uid: string
  ) {
    this.base = `/api/datasources/uid/${encodeURIComponent(uid)}/resources`;
  }

  /** Pushes one line as an agent would. */
  async pushTestLine(line: string, nowMs: number): Promise<void> {
    const values = [[`${nowMs}000000`, line]];
    await this.send('POST', 'loki/api/v1/push', {}, { streams: [{ stream: { job: 'cambium-test' }, values }] });
  }

  /** The newest lines that a delete request would take, and how many there are. */
  async preview({ query, start, end }: DeleteRange): Promise<Preview> {
    const seconds = Math.max(1, end - start);
    const [lines, count] = await Promise.all([
      this.send<LinesAnswer>('GET', 'loki/api/v1/query_range', {
        query,
        start: `${start}`,
        end: `${end}`,
        limit: `${PREVIEW_LINES}`,
      }),
      this.send<CountAnswer>('GET', 'loki/api/v1/query', {
        query: `sum(count_over_time(${query} [${seconds}s]))`,
        time: `${end}`,
      }),
    ]);
    const newest = lines.data.result
      .flatMap(({ values }) => values)
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([, line]) => line);
    return { count: Number(count.data.result[0]?.value[1] ?? 0), lines: newest.slice(0, PREVIEW_LINES) };
  }

  async requestDelete({ query, start, end }: DeleteRange): Promise<void> {
    await this.send('POST', 'loki/api/v1/delete', { query, start: `${start}`, end: `${end}` });
  }

  deleteRequests(): Promise<DeleteRequest[]> {
    return this.send('GET', 'loki/api/v1/delete', {});
  }

  async cancelDelete(id: string): Promise<void> {
    await this.send('DELETE', 'loki/api/v1/delete', { request_id: id });
  }

  private async send<T>(method: string, path: string, params: Record<string, string>, body?: unknown): Promise<T> {
    const query = new URLSearchParams(params).toString();
    const url = `${this.base}/${path}${query && `?${query}`}`;
    const response = await lastValueFrom(
      this.backend.fetch<T>({ method, url, data: body, showErrorAlert: false, showSuccessAlert: false })
    );
    return response.data;
  }
}

const PREVIEW_LINES = 20;

/** Times in unix seconds. */
export interface DeleteRange {
  query: string;
  start: number;
  end: number;
}

export interface Preview {
  count: number;
  lines: string[];
}

export interface DeleteRequest {
  request_id: string;
  start_time: number;
  end_time: number;
  query: string;
  status: string;
  created_at: number;
}

interface LinesAnswer {
  data: { result: Array<{ values: Array<[string, string]> }> };
}

interface CountAnswer {
  data: { result: Array<{ value: [number, string] }> };
}

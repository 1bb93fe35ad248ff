import { useCallback, useEffect, useRef, useState } from 'react';
import { DataFrame, DataQuery, DataQueryRequest, DataQueryResponse, DataSourceApi, LoadingState } from '@grafana/data';
import { Observable, from } from 'rxjs';

export interface Result {
  state: LoadingState;
  frames: DataFrame[];
  errors: string[];
  tookMs?: number;
}

const EMPTY: Result = { state: LoadingState.NotStarted, frames: [], errors: [] };

/** Runs requests against a data source, one at a time: a new one cancels the one before. */
export function useRequest(datasource: DataSourceApi) {
  const [result, setResult] = useState<Result>(EMPTY);
  const cancel = useRef<() => void>(undefined);

  const stop = useCallback(() => {
    cancel.current?.();
    cancel.current = undefined;
    setResult((before) => (isRunning(before) ? { ...before, state: LoadingState.Done } : before));
  }, []);

  const run = useCallback(
    (request?: DataQueryRequest<DataQuery>) => {
      cancel.current?.();
      if (!request?.targets.length) {
        setResult(EMPTY);
        return;
      }
      const began = performance.now();
      const packets = new Map<string, DataQueryResponse>();
      setResult((before) => ({ ...before, state: LoadingState.Loading, errors: [] }));
      const subscription = from(datasource.query(request) as Observable<DataQueryResponse>).subscribe({
        next: (response) => {
          // As Grafana does: a response with the same key replaces the one before, others stand beside it.
          packets.set(response.key ?? 'A', response);
          const all = [...packets.values()];
          setResult({
            state: response.state ?? LoadingState.Done,
            frames: all.flatMap(({ data }) => data as DataFrame[]),
            errors: all.flatMap(errorsOf),
            tookMs: performance.now() - began,
          });
        },
        error: (error) => setResult({ state: LoadingState.Error, frames: [], errors: [text(error)] }),
        complete: () =>
          setResult((before) => ({ ...before, state: before.errors.length ? LoadingState.Error : LoadingState.Done })),
      });
      cancel.current = () => subscription.unsubscribe();
    },
    [datasource]
  );

  useEffect(() => () => cancel.current?.(), []);
  return { result, run, stop };
}

export function isRunning({ state }: Result): boolean {
  return state === LoadingState.Loading || state === LoadingState.Streaming;
}

function errorsOf({ errors, error }: DataQueryResponse): string[] {
  return (errors?.length ? errors : error ? [error] : []).map(text);
}

function text(error: unknown): string {
  const { message, data } = (error ?? {}) as { message?: string; data?: { message?: string; error?: string } };
  return data?.message ?? data?.error ?? message ?? String(error);
}

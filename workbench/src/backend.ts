import { BackendSrv, BackendSrvRequest, FetchResponse } from '@grafana/runtime';
import { Observable, lastValueFrom } from 'rxjs';

/** Grafana's HTTP client in short: the same routes, answered by the workbench host. */
export function createBackendSrv(): BackendSrv {
  const send = <T>(options: BackendSrvRequest) => lastValueFrom(fetchResponse<T>(options)).then(({ data }) => data);
  const service = {
    fetch: fetchResponse,
    request: send,
    datasourceRequest: <T>(options: BackendSrvRequest) => lastValueFrom(fetchResponse<T>(options)),
    get: <T>(url: string, params?: Record<string, unknown>, _id?: string, options?: Partial<BackendSrvRequest>) =>
      send<T>({ ...options, method: 'GET', url, params }),
    delete: <T>(url: string, data?: unknown) => send<T>({ method: 'DELETE', url, data }),
    post: <T>(url: string, data?: unknown, options?: Partial<BackendSrvRequest>) =>
      send<T>({ ...options, method: 'POST', url, data }),
    put: <T>(url: string, data?: unknown) => send<T>({ method: 'PUT', url, data }),
    patch: <T>(url: string, data?: unknown) => send<T>({ method: 'PATCH', url, data }),
    chunked: chunkedResponse,
  };
  return service as unknown as BackendSrv;
}

function fetchResponse<T>(options: BackendSrvRequest): Observable<FetchResponse<T>> {
  return new Observable((observer) => {
    const abort = new AbortController();
    start(options, abort.signal)
      .then(async (response) => {
        const text = await response.text();
        const data = parse(text, options.responseType) as T;
        const answer = describe(response, options, data);
        if (!response.ok) {
          throw { ...answer, message: readable(data) ?? response.statusText };
        }
        observer.next(answer);
        observer.complete();
      })
      .catch((error) => !abort.signal.aborted && observer.error(error));
    // Unsubscribing is how a query is cancelled.
    return () => abort.abort();
  });
}

function chunkedResponse(options: BackendSrvRequest): Observable<FetchResponse<Uint8Array | undefined>> {
  return new Observable((observer) => {
    const abort = new AbortController();
    start(options, abort.signal)
      .then(async (response) => {
        if (!response.ok) {
          const data = parse(await response.text());
          throw { ...describe(response, options, data), message: readable(data) ?? response.statusText };
        }
        const reader = response.body!.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          observer.next(describe(response, options, part.value));
        }
        observer.complete();
      })
      .catch((error) => !abort.signal.aborted && observer.error(error));
    return () => abort.abort();
  });
}

function start(options: BackendSrvRequest, signal: AbortSignal): Promise<Response> {
  const url = new URL(options.url.replace(/^\/?/, '/'), location.origin);
  for (const [name, value] of Object.entries(options.params ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) {
        url.searchParams.append(name, String(one));
      }
    }
  }
  const isText = typeof options.data === 'string';
  return fetch(url, {
    method: options.method ?? 'GET',
    headers: {
      ...(options.data !== undefined && !isText && { 'Content-Type': 'application/json' }),
      ...options.headers,
    },
    body: options.data === undefined ? undefined : isText ? options.data : JSON.stringify(options.data),
    signal,
  });
}

function describe<T>(response: Response, config: BackendSrvRequest, data: T): FetchResponse<T> {
  const { status, statusText, ok, headers, redirected, type, url } = response;
  return { data, status, statusText, ok, headers, redirected, type, url, config };
}

function parse(text: string, responseType?: string): unknown {
  if (responseType === 'text') {
    return text;
  }
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return text;
  }
}

function readable(data: unknown): string | undefined {
  if (typeof data === 'string') {
    return data || undefined;
  }
  const { message, error } = (data ?? {}) as { message?: string; error?: string };
  return message ?? error;
}

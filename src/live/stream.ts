import { DataFrame, DataQueryRequest, DataQueryResponse, LiveChannelScope, LoadingState } from '@grafana/data';
import { GrafanaLiveSrv } from '@grafana/runtime';
import { Observable, catchError, defer, map, merge, of, switchMap, timer } from 'rxjs';

import { t } from '../i18n';
import { isMetricQuery } from '../logql/kind';
import { CambiumQuery } from '../types';
import { TailRequest, tailPath } from './address';

/** Rows that are kept while lines stream in; the live view draws fewer. */
const BUFFERED_ROWS = 1000;
const RETRY_AFTER_MS = 1000;
const MAX_FAILURES = 5;

/** Grows for as long as the page lives, so that no path is used again after it failed. */
let attempt = 0;

/** The live form of a request: for each target one stream of growing frames. */
export function liveResponse(
  request: DataQueryRequest<CambiumQuery>,
  uid: string,
  live: GrafanaLiveSrv,
  scope?: string
): Observable<DataQueryResponse> {
  return merge(
    ...request.targets.map((target) => {
      const key = `cambium-tail-${request.requestId}-${target.refId}`;
      return isMetricQuery(target.expr)
        ? of(failed(key, t('live.metric', 'Live needs a log query: a metric query has no lines to follow')))
        : tail({ expr: target.expr, ...(scope && { scope }) }, target.refId, key, uid, live);
    })
  );
}

function tail(
  data: TailRequest,
  refId: string,
  key: string,
  uid: string,
  live: GrafanaLiveSrv,
  failures = 0
): Observable<DataQueryResponse> {
  let failuresInRow = failures;
  return defer(() =>
    live.getDataStream({
      // `stream` was named `namespace` before Grafana 12.4.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      addr: { scope: LiveChannelScope.DataSource, namespace: uid, stream: uid, path: tailPath(data, attempt), data },
      buffer: { maxLength: BUFFERED_ROWS },
      key,
    })
  ).pipe(
    map((response) => {
      if (response.state === LoadingState.Error) {
        throw new Error(messageOf(response));
      }
      failuresInRow = 0;
      const frames = (response.data as DataFrame[]).map((frame) => ({ ...frame, refId }));
      return { ...response, key, data: frames, state: LoadingState.Streaming };
    }),
    catchError((error: Error) => {
      // A channel that failed repeats its old error for a while; another attempt is another channel.
      attempt++;
      failuresInRow++;
      return failuresInRow > MAX_FAILURES
        ? of(failed(key, error.message))
        : timer(RETRY_AFTER_MS * failuresInRow).pipe(switchMap(() => tail(data, refId, key, uid, live, failuresInRow)));
    })
  );
}

function failed(key: string, message: string): DataQueryResponse {
  return { key, data: [], state: LoadingState.Error, errors: [{ message }] };
}

function messageOf(response: DataQueryResponse): string {
  // Grafana's live streams still fill only the older of the two.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const error = response.errors?.[0] ?? response.error;
  return error?.message ?? t('live.failed', 'The live stream ended with an error');
}

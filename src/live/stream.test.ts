import { DataQueryRequest, DataQueryResponse, LoadingState } from '@grafana/data';
import { GrafanaLiveSrv } from '@grafana/runtime';
import { NEVER, Observable, concat, of, throwError } from 'rxjs';

import { CambiumQuery } from '../types';
import { liveResponse } from './stream';

function request(...exprs: string[]) {
  const targets = exprs.map((expr, i) => ({ refId: String.fromCharCode(65 + i), expr }));
  return { requestId: 'r', targets } as DataQueryRequest<CambiumQuery>;
}

function fakeLive(streams: Array<Observable<Partial<DataQueryResponse>>>) {
  const getDataStream = jest.fn(() => streams.shift() ?? NEVER);
  return { live: { getDataStream } as unknown as GrafanaLiveSrv, getDataStream };
}

const frames = of({ data: [{ fields: [], length: 0 }] });

it('streams frames of the query under one key', () => {
  const { live, getDataStream } = fakeLive([concat(frames, NEVER)]);
  const seen: DataQueryResponse[] = [];
  const subscription = liveResponse(request('{a="b"}'), 'uid', live).subscribe((response) => seen.push(response));

  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ state: LoadingState.Streaming, key: 'cambium-tail-r-A', data: [{ refId: 'A' }] });
  const [options] = getDataStream.mock.calls[0] as unknown as [{ addr: { path: string; data: unknown } }];
  expect(options.addr).toMatchObject({ stream: 'uid', namespace: 'uid', data: { expr: '{a="b"}' } });
  subscription.unsubscribe();
});

it('refuses a metric query with a reason', () => {
  const { live } = fakeLive([]);
  const seen: DataQueryResponse[] = [];
  liveResponse(request('rate({a="b"}[5m])'), 'uid', live).subscribe((response) => seen.push(response));
  expect(seen[0].errors?.[0].message).toMatch(/log query/);
});

describe('after an error', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('tries again on another path', () => {
    const { live, getDataStream } = fakeLive([throwError(() => new Error('expired')), concat(frames, NEVER)]);
    const seen: DataQueryResponse[] = [];
    const subscription = liveResponse(request('{a="b"}'), 'uid', live).subscribe((response) => seen.push(response));
    jest.advanceTimersByTime(1500);

    const paths = getDataStream.mock.calls.map(
      (call) => (call as unknown as [{ addr: { path: string } }])[0].addr.path
    );
    expect(new Set(paths).size).toBe(2);
    expect(seen.map(({ state }) => state)).toEqual([LoadingState.Streaming]);
    subscription.unsubscribe();
  });

  it('gives up with the error when it stays', () => {
    const { live } = fakeLive(Array.from({ length: 9 }, () => throwError(() => new Error('no such route'))));
    const seen: DataQueryResponse[] = [];
    liveResponse(request('{a="b"}'), 'uid', live).subscribe((response) => seen.push(response));
    jest.advanceTimersByTime(60_000);
    expect(seen).toMatchObject([{ state: LoadingState.Error, errors: [{ message: 'no such route' }] }]);
  });
});

import { DataFrame, DataQueryRequest, DataQueryResponse, LoadingState } from '@grafana/data';
import { Observable, map, merge, scan } from 'rxjs';

import { isMetricQuery } from '../logql/kind';
import { CambiumQuery } from '../types';
import { DEFAULT_MAX_LINES } from '../query';
import { isLogFrame, mergeResponses } from './merge';
import { Group, Part, groupTargets, partRequest, partsOf } from './plan';

type Ask = (request: DataQueryRequest<CambiumQuery>) => Observable<DataQueryResponse>;

/**
 * Asks a long range part by part, so that there is something to see early and a log query that has its lines asks no
 * further. Each answer holds all so far; the last one is whole, and then the stream completes.
 */
export function runSplit(
  request: DataQueryRequest<CambiumQuery>,
  ask: Ask,
  defaultMaxLines = DEFAULT_MAX_LINES
): Observable<DataQueryResponse> {
  const stepMs = Math.max(1, request.intervalMs || 1);
  const parts = partsOf(request.range, stepMs);
  const groups = groupTargets(request.targets);
  if (parts.length === 1 || !groups.some(({ split }) => split)) {
    return ask(request);
  }
  const answers = groups.map((group, i) =>
    group.split
      ? runParts(request, group, group.oldestFirst ? parts : [...parts].reverse(), ask, defaultMaxLines)
      : ask({ ...request, requestId: `${request.requestId}-whole-${i}`, targets: group.targets })
  );
  return groups.length === 1 ? answers[0] : together(answers, `cambium-${request.requestId}`);
}

/** Some callers take the last answer of all for the whole one: each answer holds what all the groups gave so far. */
function together(answers: Array<Observable<DataQueryResponse>>, key: string): Observable<DataQueryResponse> {
  return merge(...answers.map((answer, i) => answer.pipe(map((response) => ({ i, response }))))).pipe(
    scan((latest: DataQueryResponse[], { i, response }) => Object.assign([...latest], { [i]: response }), []),
    map((latest) => {
      const there = latest.filter(Boolean);
      const errors = there.flatMap((response) => response.errors ?? []);
      const open = there.length < answers.length || there.some(({ state }) => state === LoadingState.Streaming);
      const state = open ? LoadingState.Streaming : errors.length ? LoadingState.Error : LoadingState.Done;
      return { key, state, data: there.flatMap(({ data }) => data), ...(errors.length && { errors }) };
    })
  );
}

function runParts(
  request: DataQueryRequest<CambiumQuery>,
  group: Group,
  parts: Part[],
  ask: Ask,
  defaultMaxLines: number
): Observable<DataQueryResponse> {
  const key = `cambium-${request.requestId}-${group.oldestFirst ? 'forward' : 'backward'}`;
  return new Observable((observer) => {
    let merged: DataQueryResponse | undefined;
    let unsubscribe = () => {};

    const next = (index: number) => {
      const targets = remaining(group.targets, merged, defaultMaxLines);
      if (index === parts.length || targets.length === 0) {
        observer.next({ ...(merged ?? { data: [] }), key, state: finalState(merged) });
        observer.complete();
        return;
      }
      let answer: DataQueryResponse | undefined;
      const subscription = ask(partRequest(request, targets, parts[index], index)).subscribe({
        next: (response) => (answer = response),
        error: (error) => observer.error(error),
        complete: () => {
          if (answer) {
            merged = mergeResponses(merged, answer, !group.oldestFirst);
          }
          if (merged?.errors?.length) {
            // What failed for one part would most likely fail for the next; what is there stays visible.
            observer.next({ ...merged, key, state: LoadingState.Error });
            observer.complete();
            return;
          }
          if (merged && index + 1 < parts.length) {
            observer.next({ ...merged, key, state: LoadingState.Streaming });
          }
          next(index + 1);
        },
      });
      unsubscribe = () => subscription.unsubscribe();
    };

    next(0);
    return () => unsubscribe();
  });
}

/** The targets that still want something, log queries with the lines that they lack. */
function remaining(
  targets: CambiumQuery[],
  merged: DataQueryResponse | undefined,
  defaultMaxLines: number
): CambiumQuery[] {
  return targets.flatMap((target) => {
    if (target.queryType === 'volume' || isMetricQuery(target.expr)) {
      return [target];
    }
    const frames = (merged?.data ?? []) as DataFrame[];
    const got = frames.find((frame) => frame.refId === target.refId && isLogFrame(frame))?.length ?? 0;
    const wanted = (target.maxLines ?? defaultMaxLines) - got;
    return wanted > 0 ? [{ ...target, maxLines: wanted }] : [];
  });
}

function finalState(merged: DataQueryResponse | undefined): LoadingState {
  return merged?.errors?.length ? LoadingState.Error : LoadingState.Done;
}

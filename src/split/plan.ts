import { DataQueryRequest, TimeRange, dateTime } from '@grafana/data';

import { isMetricQuery } from '../logql/kind';
import { directionOf, effectiveQueryType } from '../query';
import { CambiumQuery } from '../types';

const DAY_MS = 24 * 60 * 60 * 1000;
/** More parts than this tell a reader nothing more about the progress. */
const MAX_PARTS = 10;

export interface Part {
  from: number;
  to: number;
}

/** Targets that are read in the same order of parts. */
export interface Group {
  targets: CambiumQuery[];
  /** False: asked over the whole range at once. */
  split: boolean;
  oldestFirst: boolean;
}

export function groupTargets(targets: CambiumQuery[]): Group[] {
  const kind = (query: CambiumQuery) => {
    if (effectiveQueryType(query) === 'instant' || hasStepOfItsOwn(query) || dependsOnRange(query)) {
      return 'whole';
    }
    return directionOf(query) === 'forward' && !isMetricQuery(query.expr) ? 'forward' : 'backward';
  };
  return (['backward', 'forward', 'whole'] as const)
    .map((name) => ({
      targets: targets.filter((query) => kind(query) === name),
      split: name !== 'whole',
      oldestFirst: name === 'forward',
    }))
    .filter((group) => group.targets.length > 0);
}

/** Parts must lie on the grid of the steps, which is known here only when the request's interval is the step. */
function hasStepOfItsOwn(query: CambiumQuery): boolean {
  return Boolean(query.step) && isMetricQuery(query.expr);
}

/** A part has a range of its own, which the query would then be about. */
function dependsOnRange(query: CambiumQuery): boolean {
  return /\$\{?__range/.test(query.expr);
}

/**
 * Cuts a range into parts of whole days at least, in the order of time. Cuts lie on multiples of the step, so that a
 * metric query has each of its points in just one part; a range that is short stays whole.
 */
export function partsOf(range: Pick<TimeRange, 'from' | 'to'>, stepMs: number): Part[] {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const width = Math.ceil(Math.max(DAY_MS, (to - from) / MAX_PARTS) / stepMs) * stepMs;
  const parts: Part[] = [];
  let start = from;
  while (to - start > width * 1.5) {
    const end = Math.floor((start + width) / stepMs) * stepMs;
    parts.push({ from: start, to: end });
    start = end;
  }
  return [...parts, { from: start, to }];
}

export function partRequest(
  request: DataQueryRequest<CambiumQuery>,
  targets: CambiumQuery[],
  part: Part,
  index: number
): DataQueryRequest<CambiumQuery> {
  const [from, to] = [dateTime(part.from), dateTime(part.to)];
  return {
    ...request,
    requestId: `${request.requestId}-${index}`,
    targets,
    range: { from, to, raw: { from, to } },
  };
}

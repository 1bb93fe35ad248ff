import { DataQueryRequest, SupplementaryQueryOptions, SupplementaryQueryType, rangeUtil } from '@grafana/data';

import { CambiumQuery } from '../types';
import { sampleQuery } from './sample';
import { volumeQuery } from './volume';

export const SUPPLEMENTARY_TYPES = [SupplementaryQueryType.LogsVolume, SupplementaryQueryType.LogsSample];

export function supplementaryQuery(options: SupplementaryQueryOptions, query: CambiumQuery): CambiumQuery | undefined {
  switch (options.type) {
    case SupplementaryQueryType.LogsVolume:
      return volumeQuery(query);
    case SupplementaryQueryType.LogsSample:
      return sampleQuery(query, options.limit);
    default:
      return undefined;
  }
}

/** Bars of a histogram across a screen: more are too thin to read, and to hit. */
const VOLUME_BARS = 100;

/** The request for what stands beside the result of another request; undefined when there is nothing to ask. */
export function supplementaryRequest(
  type: SupplementaryQueryType,
  request: DataQueryRequest<CambiumQuery>,
  options: SupplementaryQueryOptions = { type }
): DataQueryRequest<CambiumQuery> | undefined {
  const targets = request.targets.flatMap(
    (target) => supplementaryQuery({ ...options, type } as SupplementaryQueryOptions, target) ?? []
  );
  if (!targets.length) {
    return undefined;
  }
  if (type !== SupplementaryQueryType.LogsVolume) {
    return { ...request, targets };
  }
  const { interval, intervalMs } = rangeUtil.calculateInterval(request.range, VOLUME_BARS, '1s');
  return { ...request, targets, interval, intervalMs, maxDataPoints: VOLUME_BARS };
}

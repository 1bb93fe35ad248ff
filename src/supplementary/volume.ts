import { isMetricQuery } from '../logql/kind';
import { CambiumQuery } from '../types';

/** Explore recognises volume queries by this beginning of their refId. */
export const VOLUME_PREFIX = 'log-volume-';

/** The histogram of a log query: its own query type, because the backend can mostly count without reading lines. */
export function volumeQuery(query: CambiumQuery): CambiumQuery | undefined {
  if (query.hide || !query.expr?.trim() || isMetricQuery(query.expr)) {
    return undefined;
  }
  return {
    refId: `${VOLUME_PREFIX}${query.refId}`,
    datasource: query.datasource,
    expr: query.expr,
    queryType: 'volume',
    legendFormat: '{{level}}',
  };
}

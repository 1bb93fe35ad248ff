import {
  AdHocVariableFilter,
  CoreApp,
  DataQueryRequest,
  DataQueryResponse,
  DataSourceInstanceSettings,
  DataSourceWithSupplementaryQueriesSupport,
  ScopedVars,
  SupplementaryQueryOptions,
  SupplementaryQueryType,
} from '@grafana/data';
import { DataSourceWithBackend, TemplateSrv, getGrafanaLiveSrv, getTemplateSrv } from '@grafana/runtime';
import { Observable } from 'rxjs';

import { liveResponse } from './live/stream';
import { interpolate } from './logql/interpolate';
import { defaultQuery, displayText, effectiveQueryType } from './query';
import { SUPPLEMENTARY_TYPES, supplementaryQuery, supplementaryRequest } from './supplementary/support';
import { CambiumOptions, CambiumQuery, StorageStatus } from './types';

/** What Grafana calls. Each method hands over to the module that knows how. */
export class CambiumDataSource
  extends DataSourceWithBackend<CambiumQuery, CambiumOptions>
  implements DataSourceWithSupplementaryQueriesSupport<CambiumQuery>
{
  constructor(
    readonly settings: DataSourceInstanceSettings<CambiumOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
  }

  query(request: DataQueryRequest<CambiumQuery>): Observable<DataQueryResponse> {
    if (request.liveStreaming) {
      return liveResponse(this.interpolateRequest(request), this.uid, getGrafanaLiveSrv());
    }
    return super.query(request);
  }

  getDefaultQuery(app: CoreApp): Partial<CambiumQuery> {
    return defaultQuery(app);
  }

  filterQuery(query: CambiumQuery): boolean {
    return !query.hide && Boolean(query.expr?.trim());
  }

  getQueryDisplayText(query: CambiumQuery): string {
    return displayText(query);
  }

  applyTemplateVariables(query: CambiumQuery, scopedVars: ScopedVars, _filters?: AdHocVariableFilter[]): CambiumQuery {
    return {
      ...query,
      expr: interpolate(query.expr, this.replace, scopedVars),
      step: query.step && this.templates.replace(query.step, scopedVars),
      legendFormat: query.legendFormat && this.templates.replace(query.legendFormat, scopedVars),
      queryType: effectiveQueryType(query),
    };
  }

  interpolateVariablesInQueries(queries: CambiumQuery[], scopedVars: ScopedVars): CambiumQuery[] {
    return queries.map((query) => ({ ...this.applyTemplateVariables(query, scopedVars), datasource: this.getRef() }));
  }

  getSupportedSupplementaryQueryTypes(): SupplementaryQueryType[] {
    return SUPPLEMENTARY_TYPES;
  }

  getSupplementaryQuery(options: SupplementaryQueryOptions, query: CambiumQuery): CambiumQuery | undefined {
    return supplementaryQuery(options, query);
  }

  getSupplementaryRequest(
    type: SupplementaryQueryType,
    request: DataQueryRequest<CambiumQuery>,
    options?: SupplementaryQueryOptions
  ): DataQueryRequest<CambiumQuery> | undefined {
    return supplementaryRequest(type, request, options);
  }

  status(): Promise<StorageStatus> {
    return this.getResource('cambium/v1/status');
  }

  /** The request with its variables replaced, as the base class does on the way to the backend. */
  private interpolateRequest(request: DataQueryRequest<CambiumQuery>): DataQueryRequest<CambiumQuery> {
    const targets = request.targets
      .filter((query) => this.filterQuery(query))
      .map((query) => this.applyTemplateVariables(query, request.scopedVars, request.filters));
    return { ...request, targets };
  }

  private readonly replace: TemplateSrv['replace'] = (text, scopedVars, format) =>
    this.templates.replace(text, scopedVars, format);
}

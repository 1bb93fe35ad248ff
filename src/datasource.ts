import {
  AbstractQuery,
  AdHocVariableFilter,
  CoreApp,
  DataFrame,
  DataQueryRequest,
  DataQueryResponse,
  DataSourceGetTagKeysOptions,
  DataSourceGetTagValuesOptions,
  DataSourceInstanceSettings,
  DataSourceWithLogsContextSupport,
  DataSourceWithLogsLabelTypesSupport,
  DataSourceWithQueryExportSupport,
  DataSourceWithQueryImportSupport,
  DataSourceWithQueryModificationSupport,
  DataSourceWithSupplementaryQueriesSupport,
  DataSourceWithToggleableQueryFiltersSupport,
  LegacyMetricFindQueryOptions,
  LogRowContextOptions,
  LogRowModel,
  MetricFindValue,
  QueryFilterOptions,
  QueryFixAction,
  QueryHint,
  ScopedVars,
  SupplementaryQueryOptions,
  SupplementaryQueryType,
  ToggleFilterAction,
  getDefaultTimeRange,
} from '@grafana/data';
import {
  DataSourceWithBackend,
  TemplateSrv,
  getDataSourceSrv,
  getGrafanaLiveSrv,
  getTemplateSrv,
} from '@grafana/runtime';
import { ReactNode, createElement } from 'react';
import { Observable, defer, from, lastValueFrom, map, switchMap } from 'rxjs';

import { fromAbstract, toAbstract } from './abstract';
import { applyAdHocFilters, selectorOf } from './adhoc/filters';
import { annotationSupport } from './annotations';
import { ContextUi } from './context/ContextUi';
import { ContextProvider } from './context/provider';
import { addDerivedFields } from './derived/fields';
import { QUERY_MODIFICATIONS, modifyQuery, queryHasFilter, toggleQueryFilter } from './filters';
import { labelDisplayType } from './frames/labelTypes';
import { queryHints } from './hints';
import { LabelClient } from './labels/client';
import { tailScope } from './live/scope';
import { liveResponse } from './live/stream';
import { interpolate } from './logql/interpolate';
import { defaultQuery, displayText, effectiveQueryType } from './query';
import { runSplit } from './split/run';
import { SUPPLEMENTARY_TYPES, supplementaryQuery, supplementaryRequest } from './supplementary/support';
import { CambiumOptions, CambiumQuery } from './types';
import { readVariable } from './variables/query';
import { CambiumVariableSupport } from './variables/support';

/** What Grafana calls. Each method hands over to the module that knows how. */
export class CambiumDataSource
  extends DataSourceWithBackend<CambiumQuery, CambiumOptions>
  implements
    DataSourceWithSupplementaryQueriesSupport<CambiumQuery>,
    DataSourceWithLogsContextSupport<CambiumQuery>,
    DataSourceWithToggleableQueryFiltersSupport<CambiumQuery>,
    DataSourceWithQueryModificationSupport<CambiumQuery>,
    DataSourceWithLogsLabelTypesSupport,
    DataSourceWithQueryImportSupport<CambiumQuery>,
    DataSourceWithQueryExportSupport<CambiumQuery>
{
  readonly labels = new LabelClient((path, params) =>
    this.getResource(path, params, { showErrorAlert: false, showSuccessAlert: false })
  );
  readonly annotations = annotationSupport;
  private readonly context = new ContextProvider((request) => super.query(request));
  /** Stream labels as last seen: ad-hoc filters on these go into the selector. */
  private indexed: ReadonlySet<string> = new Set();

  constructor(
    readonly settings: DataSourceInstanceSettings<CambiumOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
    this.variables = new CambiumVariableSupport(this);
  }

  query(request: DataQueryRequest<CambiumQuery>): Observable<DataQueryResponse> {
    return defer(() => from(this.learnLabels(request))).pipe(
      switchMap(() =>
        request.liveStreaming
          ? liveResponse(
              this.interpolateRequest(request),
              this.uid,
              getGrafanaLiveSrv(),
              tailScope(this.settings.jsonData)
            )
          : runSplit(request, (part) => super.query(part), this.settings.jsonData.maxLines)
      ),
      map((response) => ({ ...response, data: this.withDerivedFields(response.data as DataFrame[]) }))
    );
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

  getQueryHints(query: CambiumQuery, frames: DataFrame[]): QueryHint[] {
    return queryHints(query, frames);
  }

  // Variables and ad-hoc filters

  applyTemplateVariables(query: CambiumQuery, scopedVars: ScopedVars, filters?: AdHocVariableFilter[]): CambiumQuery {
    return {
      ...query,
      expr: applyAdHocFilters(interpolate(query.expr, this.replace, scopedVars), filters, this.indexed),
      step: query.step && this.templates.replace(query.step, scopedVars),
      legendFormat: query.legendFormat && this.templates.replace(query.legendFormat, scopedVars),
      queryType: effectiveQueryType(query),
    };
  }

  interpolateVariablesInQueries(
    queries: CambiumQuery[],
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[]
  ): CambiumQuery[] {
    return queries.map((query) => ({
      ...this.applyTemplateVariables(query, scopedVars, filters),
      datasource: this.getRef(),
    }));
  }

  interpolateText(text: string, scopedVars?: ScopedVars): string {
    return interpolate(text, this.replace, scopedVars);
  }

  async metricFindQuery(stored: unknown, options?: LegacyMetricFindQueryOptions): Promise<MetricFindValue[]> {
    const request = {
      requestId: 'variable',
      targets: [readVariable(stored)],
      range: options?.range ?? getDefaultTimeRange(),
      scopedVars: options?.scopedVars ?? {},
    } as Parameters<CambiumVariableSupport['query']>[0];
    const { data } = await lastValueFrom((this.variables as CambiumVariableSupport).query(request));
    return data as MetricFindValue[];
  }

  async getTagKeys(options?: DataSourceGetTagKeysOptions<CambiumQuery>): Promise<MetricFindValue[]> {
    const names = await this.labels.labelNames(options?.timeRange);
    this.indexed = new Set(names);
    return names.map((text) => ({ text }));
  }

  async getTagValues(options: DataSourceGetTagValuesOptions<CambiumQuery>): Promise<MetricFindValue[]> {
    const others = options.filters?.filter(({ key }) => key !== options.key);
    const values = await this.labels.labelValues(options.key, options.timeRange, selectorOf(others, this.indexed));
    return values.map((text) => ({ text }));
  }

  // Explore

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

  toggleQueryFilter(query: CambiumQuery, filter: ToggleFilterAction): CambiumQuery {
    return toggleQueryFilter(query, filter);
  }

  queryHasFilter(query: CambiumQuery, filter: QueryFilterOptions): boolean {
    return queryHasFilter(query, filter);
  }

  modifyQuery(query: CambiumQuery, action: QueryFixAction): CambiumQuery {
    return modifyQuery(query, action);
  }

  getSupportedQueryModifications(): string[] {
    return QUERY_MODIFICATIONS;
  }

  getLabelDisplayTypeFromFrame(key: string, frame: DataFrame | undefined, index: number | null): string | null {
    return labelDisplayType(key, frame, index);
  }

  getLogRowContext = (row: LogRowModel, options?: LogRowContextOptions, query?: CambiumQuery) =>
    this.context.rows(row, options, query);

  getLogRowContextQuery = async (row: LogRowModel, options?: LogRowContextOptions, query?: CambiumQuery) =>
    this.context.query(row, options, query);

  getLogRowContextUi(row: LogRowModel, runContextQuery?: () => void): ReactNode {
    return createElement(ContextUi, {
      key: row.uid,
      row,
      provider: this.context,
      onChange: runContextQuery ?? (() => undefined),
    });
  }

  async importFromAbstractQueries(queries: AbstractQuery[]): Promise<CambiumQuery[]> {
    return queries.map(fromAbstract);
  }

  async exportToAbstractQueries(queries: CambiumQuery[]): Promise<AbstractQuery[]> {
    return queries.map(toAbstract);
  }

  // Inside

  /** Ad-hoc filters need to know the stream labels before variables are replaced, which cannot wait. */
  private async learnLabels({ filters, range }: DataQueryRequest<CambiumQuery>): Promise<void> {
    if (filters?.length) {
      const names = await this.labels.labelNames(range).catch(() => [...this.indexed]);
      this.indexed = new Set(names);
    }
  }

  /** The request with its variables replaced, as the base class does on the way to the backend. */
  private interpolateRequest(request: DataQueryRequest<CambiumQuery>): DataQueryRequest<CambiumQuery> {
    const targets = request.targets
      .filter((query) => this.filterQuery(query))
      .map((query) => this.applyTemplateVariables(query, request.scopedVars, request.filters));
    return { ...request, targets };
  }

  private withDerivedFields(frames: DataFrame[]): DataFrame[] {
    return addDerivedFields(frames, this.settings.jsonData.derivedFields, dataSourceName);
  }

  private readonly replace: TemplateSrv['replace'] = (text, scopedVars, format) =>
    this.templates.replace(text, scopedVars, format);
}

function dataSourceName(uid: string): string | undefined {
  // What replaces these is not there in the oldest Grafana that we run in.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return getDataSourceSrv().getInstanceSettings(uid)?.name;
}

import { AdHocVariableFilter, CoreApp, DataSourceInstanceSettings, ScopedVars } from '@grafana/data';
import { DataSourceWithBackend, TemplateSrv, getTemplateSrv } from '@grafana/runtime';

import { interpolate } from './logql/interpolate';
import { defaultQuery, displayText, effectiveQueryType } from './query';
import { CambiumOptions, CambiumQuery, StorageStatus } from './types';

export class CambiumDataSource extends DataSourceWithBackend<CambiumQuery, CambiumOptions> {
  constructor(
    readonly settings: DataSourceInstanceSettings<CambiumOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
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

  status(): Promise<StorageStatus> {
    return this.getResource('cambium/v1/status');
  }

  private readonly replace: TemplateSrv['replace'] = (text, scopedVars, format) =>
    this.templates.replace(text, scopedVars, format);
}

import {
  CustomVariableSupport,
  DataFrame,
  DataQueryRequest,
  DataQueryResponse,
  MetricFindValue,
  ScopedVars,
} from '@grafana/data';
import { Observable, from, lastValueFrom } from 'rxjs';

import type { CambiumDataSource } from '../datasource';
import { isMetricQuery } from '../logql/kind';
import { VariableEditor } from './VariableEditor';
import { VariableQuery, isComplete, readVariable } from './query';
import { valuesOfFrames } from './values';

export class CambiumVariableSupport extends CustomVariableSupport<CambiumDataSource, VariableQuery> {
  editor = VariableEditor;

  constructor(private readonly datasource: CambiumDataSource) {
    super();
  }

  query(request: DataQueryRequest<VariableQuery>): Observable<DataQueryResponse> {
    return from(this.values(request).then((data) => ({ data })));
  }

  private async values(request: DataQueryRequest<VariableQuery>): Promise<MetricFindValue[]> {
    const variable = readVariable(request.targets[0]);
    const text = (value?: string) => this.datasource.interpolateText(value ?? '', request.scopedVars);
    if (!isComplete(variable)) {
      return [];
    }
    const { labels } = this.datasource;
    const [label, expr] = [text(variable.label), text(variable.expr)];
    switch (variable.kind) {
      case 'labelNames':
        return asValues(await labels.labelNames(request.range, expr));
      case 'labelValues':
        return asValues(await labels.labelValues(label, request.range, expr));
      case 'fieldNames':
        return asValues((await labels.detectedFields(expr, request.range, 'all')).map((field) => field.label));
      case 'fieldValues':
        return asValues(await labels.fieldValues(label, expr, request.range, 'all'));
      case 'query':
        return this.queryValues(request, expr, label, request.scopedVars);
    }
  }

  private async queryValues(
    request: DataQueryRequest<VariableQuery>,
    expr: string,
    label: string,
    scopedVars: ScopedVars
  ): Promise<MetricFindValue[]> {
    const queryType = isMetricQuery(expr) ? 'instant' : 'range';
    const targets = [{ refId: 'variable', expr, queryType } as const];
    const answer = await lastValueFrom(this.datasource.query({ ...request, targets, scopedVars }));
    if (answer.errors?.length) {
      throw new Error(answer.errors[0].message);
    }
    return valuesOfFrames(answer.data as DataFrame[], label || undefined);
  }
}

function asValues(texts: string[]): MetricFindValue[] {
  return texts.map((text) => ({ text }));
}

import React from 'react';
import { QueryEditorProps, TimeRange } from '@grafana/data';
import { config, getTemplateSrv } from '@grafana/runtime';
import { Stack } from '@grafana/ui';

import { Builder } from '../builder/Builder';
import { exportUrl } from '../config/urls';
import { CambiumDataSource } from '../datasource';
import { isMetricQuery } from '../logql/kind';
import { CambiumOptions, CambiumQuery } from '../types';
import { CodeField } from './editor/CodeField';
import { Explain } from './editor/Explain';
import { QueryOptions } from './editor/QueryOptions';
import { Toolbar } from './editor/Toolbar';
import { useEditorExtension } from './editor/useEditorExtension';
import { useEstimate } from './editor/useEstimate';
import { useSortOrder } from './editor/useSortOrder';

export type Props = QueryEditorProps<CambiumDataSource, CambiumQuery, CambiumOptions>;

export function QueryEditor({ query, onChange, onRunQuery, datasource, range, history, app, data }: Props) {
  const { labels } = datasource;
  const expr = query.expr ?? '';
  const extend = useEditorExtension({ labels, range, history });
  const estimate = useEstimate(labels, expr, range);
  useSortOrder(app, query, onChange, onRunQuery);
  const mode = query.editorMode ?? 'code';
  const changeExpr = (next: string) => onChange({ ...query, expr: next });
  const toggleExplain = (explain: boolean) => {
    onChange({ ...query, explain: explain || undefined });
    if (explain && expr.trim()) {
      onRunQuery();
    }
  };

  return (
    <Stack direction="column" gap={1}>
      <Toolbar
        expr={expr}
        mode={mode}
        explain={Boolean(query.explain)}
        labels={labels}
        range={range}
        estimate={estimate}
        download={downloadOf(datasource, expr, range)}
        onExpr={changeExpr}
        onMode={(editorMode) => onChange({ ...query, editorMode })}
        onExplain={toggleExplain}
      />
      {mode === 'code' ? (
        <CodeField value={expr} onChange={changeExpr} onRunQuery={onRunQuery} extend={extend} />
      ) : (
        <Builder expr={expr} labels={labels} range={range} onChange={changeExpr} />
      )}
      {query.explain && <Explain expr={expr} refId={query.refId} frames={data?.series} />}
      <QueryOptions
        query={query}
        defaultMaxLines={datasource.settings?.jsonData.maxLines}
        onChange={onChange}
        onRunQuery={onRunQuery}
      />
    </Stack>
  );
}

function downloadOf(datasource: CambiumDataSource, expr: string, range?: TimeRange): string | undefined {
  if (!range || !expr.trim() || isMetricQuery(expr)) {
    return undefined;
  }
  const text = getTemplateSrv().containsTemplate(expr) ? datasource.interpolateText(expr) : expr;
  return exportUrl(config.appSubUrl ?? '', datasource.uid, text, range.from.valueOf(), range.to.valueOf());
}

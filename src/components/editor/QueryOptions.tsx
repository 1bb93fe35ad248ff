import React from 'react';
import { QueryOptionGroup } from '@grafana/plugin-ui';
import { InlineField, InlineFieldRow, RadioButtonGroup } from '@grafana/ui';

import { isMetricQuery } from '../../logql/kind';
import { DEFAULT_MAX_LINES, directionOf, parseMaxLines, queryTypeOf } from '../../query';
import { CambiumQuery, Direction, QueryType } from '../../types';
import { CommitInput } from '../CommitInput';

export interface QueryOptionsProps {
  query: CambiumQuery;
  /** Lines when the query does not say itself; as the data source is set. */
  defaultMaxLines?: number;
  onChange: (query: CambiumQuery) => void;
  onRunQuery: () => void;
}

const TYPES: Array<{ value: QueryType; label: string; description: string }> = [
  { value: 'range', label: 'Range', description: 'Over the whole time range' },
  { value: 'instant', label: 'Instant', description: 'At the end of the time range only (metric queries)' },
];

const DIRECTIONS: Array<{ value: Direction; label: string; description: string }> = [
  { value: 'backward', label: 'Backward', description: 'Newest lines first' },
  { value: 'forward', label: 'Forward', description: 'Oldest lines first' },
];

export function QueryOptions({ query, defaultMaxLines = DEFAULT_MAX_LINES, onChange, onRunQuery }: QueryOptionsProps) {
  const metric = isMetricQuery(query.expr ?? '');
  const change = (part: Partial<CambiumQuery>) => {
    onChange({ ...query, ...part });
    onRunQuery();
  };

  return (
    <QueryOptionGroup title="Options" collapsedInfo={summary(query, metric, defaultMaxLines)}>
      <InlineFieldRow>
        <InlineField label="Type" disabled={!metric} tooltip="Lines always cover a range">
          <RadioButtonGroup
            aria-label="Query type"
            options={TYPES}
            value={metric ? queryTypeOf(query) : 'range'}
            onChange={(queryType) => change({ queryType })}
          />
        </InlineField>
        {metric ? (
          <>
            <InlineField label="Step" tooltip="Resolution, e.g. 30s or $__interval. Empty: from the panel's width">
              <CommitInput
                id={`cambium-step-${query.refId}`}
                ariaLabel="Step"
                width={12}
                placeholder="auto"
                value={query.step ?? ''}
                onCommit={(text) => change({ step: text.trim() || undefined })}
              />
            </InlineField>
            <InlineField label="Legend" tooltip="Name of a series, e.g. {{app}}">
              <CommitInput
                id={`cambium-legend-${query.refId}`}
                ariaLabel="Legend"
                width={24}
                placeholder="{{label_name}}"
                value={query.legendFormat ?? ''}
                onCommit={(text) => change({ legendFormat: text || undefined })}
              />
            </InlineField>
          </>
        ) : (
          <>
            <InlineField label="Line limit" tooltip="Most lines to return">
              <CommitInput
                id={`cambium-limit-${query.refId}`}
                ariaLabel="Line limit"
                type="number"
                width={12}
                placeholder={String(defaultMaxLines)}
                value={query.maxLines === undefined ? '' : String(query.maxLines)}
                onCommit={(text) => change({ maxLines: parseMaxLines(text) })}
              />
            </InlineField>
            <InlineField label="Direction">
              <RadioButtonGroup
                aria-label="Direction"
                options={DIRECTIONS}
                value={directionOf(query)}
                onChange={(direction) => change({ direction })}
              />
            </InlineField>
          </>
        )}
      </InlineFieldRow>
    </QueryOptionGroup>
  );
}

/** What the closed group tells about the options inside. */
export function summary(query: CambiumQuery, metric: boolean, defaultMaxLines: number): string[] {
  if (metric) {
    return [
      `Type: ${queryTypeOf(query) === 'instant' ? 'Instant' : 'Range'}`,
      `Step: ${query.step || 'auto'}`,
      ...(query.legendFormat ? [`Legend: ${query.legendFormat}`] : []),
    ];
  }
  return [
    'Type: Range',
    `Line limit: ${query.maxLines ?? defaultMaxLines}`,
    `Direction: ${directionOf(query) === 'forward' ? 'Forward' : 'Backward'}`,
  ];
}

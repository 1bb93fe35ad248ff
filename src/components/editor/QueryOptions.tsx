import React from 'react';
import { QueryOptionGroup } from '@grafana/plugin-ui';
import { InlineField, InlineFieldRow, InlineSwitch, RadioButtonGroup } from '@grafana/ui';

import { t } from '../../i18n';
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

const types = (): Array<{ value: QueryType; label: string; description: string }> => [
  {
    value: 'range',
    label: t('options.range', 'Range'),
    description: t('options.range-tip', 'Over the whole time range'),
  },
  {
    value: 'instant',
    label: t('options.instant', 'Instant'),
    description: t('options.instant-tip', 'At the end of the time range only (metric queries)'),
  },
];

const directions = (): Array<{ value: Direction; label: string; description: string }> => [
  {
    value: 'backward',
    label: t('options.backward', 'Backward'),
    description: t('options.backward-tip', 'Newest lines first'),
  },
  {
    value: 'forward',
    label: t('options.forward', 'Forward'),
    description: t('options.forward-tip', 'Oldest lines first'),
  },
];

export function QueryOptions({ query, defaultMaxLines = DEFAULT_MAX_LINES, onChange, onRunQuery }: QueryOptionsProps) {
  const metric = isMetricQuery(query.expr ?? '');
  const change = (part: Partial<CambiumQuery>) => {
    onChange({ ...query, ...part });
    onRunQuery();
  };

  return (
    <QueryOptionGroup title={t('options.title', 'Options')} collapsedInfo={summary(query, metric, defaultMaxLines)}>
      <InlineFieldRow>
        <InlineField
          label={t('options.type', 'Type')}
          disabled={!metric}
          tooltip={t('options.type-tip', 'Lines always cover a range')}
        >
          <RadioButtonGroup
            aria-label={t('options.query-type', 'Query type')}
            options={types()}
            value={metric ? queryTypeOf(query) : 'range'}
            onChange={(queryType) => change({ queryType })}
          />
        </InlineField>
        {metric ? (
          <>
            <InlineField
              label={t('options.step', 'Step')}
              tooltip={t('options.step-tip', "Resolution, e.g. 30s or $__interval. Empty: from the panel's width")}
            >
              <CommitInput
                id={`cambium-step-${query.refId}`}
                ariaLabel={t('options.step', 'Step')}
                width={12}
                placeholder="auto"
                value={query.step ?? ''}
                onCommit={(text) => change({ step: text.trim() || undefined })}
              />
            </InlineField>
            <InlineField
              label={t('options.legend', 'Legend')}
              tooltip={t('options.legend-tip', 'Name of a series, e.g. {{example}}', { example: '{{app}}' })}
            >
              <CommitInput
                id={`cambium-legend-${query.refId}`}
                ariaLabel={t('options.legend', 'Legend')}
                width={24}
                placeholder="{{label_name}}"
                value={query.legendFormat ?? ''}
                onCommit={(text) => change({ legendFormat: text || undefined })}
              />
            </InlineField>
            {queryTypeOf(query) === 'instant' && (
              <InlineField
                label={t('options.sample', 'Sample line')}
                tooltip={t(
                  'options.sample-tip',
                  'Adds the newest line behind each number as the label {{label}}, for the messages of alerts. A new line makes a new alert: use it without a pending period.',
                  { label: 'sample_line' }
                )}
              >
                <InlineSwitch
                  id={`cambium-sample-${query.refId}`}
                  value={Boolean(query.sampleLine)}
                  onChange={(event) => change({ sampleLine: event.currentTarget.checked || undefined })}
                />
              </InlineField>
            )}
          </>
        ) : (
          <>
            <InlineField
              label={t('options.limit', 'Line limit')}
              tooltip={t('options.limit-tip', 'Most lines to return')}
            >
              <CommitInput
                id={`cambium-limit-${query.refId}`}
                ariaLabel={t('options.limit', 'Line limit')}
                type="number"
                width={12}
                placeholder={String(defaultMaxLines)}
                value={query.maxLines === undefined ? '' : String(query.maxLines)}
                onCommit={(text) => change({ maxLines: parseMaxLines(text) })}
              />
            </InlineField>
            <InlineField label={t('options.direction', 'Direction')}>
              <RadioButtonGroup
                aria-label={t('options.direction', 'Direction')}
                options={directions()}
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
  const range = t('options.range', 'Range');
  const told = (name: string, value: string | number) => `${name}: ${value}`;
  if (metric) {
    return [
      told(t('options.type', 'Type'), queryTypeOf(query) === 'instant' ? t('options.instant', 'Instant') : range),
      told(t('options.step', 'Step'), query.step || 'auto'),
      ...(query.legendFormat ? [told(t('options.legend', 'Legend'), query.legendFormat)] : []),
    ];
  }
  return [
    told(t('options.type', 'Type'), range),
    told(t('options.limit', 'Line limit'), query.maxLines ?? defaultMaxLines),
    told(
      t('options.direction', 'Direction'),
      directionOf(query) === 'forward' ? t('options.forward', 'Forward') : t('options.backward', 'Backward')
    ),
  ];
}

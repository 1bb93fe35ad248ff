import React from 'react';
import { QueryEditorProps, SelectableValue } from '@grafana/data';
import { Combobox, InlineField, Stack } from '@grafana/ui';

import { CommitInput } from '../components/CommitInput';
import type { CambiumDataSource } from '../datasource';
import { t } from '../i18n';
import { CambiumOptions, CambiumQuery } from '../types';
import { VariableKind, VariableQuery, readVariable } from './query';

type Props = QueryEditorProps<CambiumDataSource, CambiumQuery, CambiumOptions, VariableQuery>;

const kinds = (): Array<{ value: VariableKind; label: string; description: string }> => [
  {
    value: 'labelValues',
    label: t('variable.label-values', 'Label values'),
    description: t('variable.label-values-tip', 'Values of a stream label'),
  },
  {
    value: 'labelNames',
    label: t('variable.label-names', 'Label names'),
    description: t('variable.label-names-tip', 'Names of the stream labels'),
  },
  {
    value: 'fieldValues',
    label: t('variable.field-values', 'Field values'),
    description: t('variable.field-values-tip', 'Values of a field in the newest lines'),
  },
  {
    value: 'fieldNames',
    label: t('variable.field-names', 'Field names'),
    description: t('variable.field-names-tip', 'Fields found in the newest lines'),
  },
  {
    value: 'query',
    label: t('variable.query-result', 'Query result'),
    description: t('variable.query-result-tip', 'Labels, numbers or lines that a query gives'),
  },
];

function exprField(kind: VariableKind): { label: string; placeholder: string; tooltip: string } {
  switch (kind) {
    case 'labelNames':
    case 'labelValues':
      return {
        label: t('variable.selector', 'Stream selector'),
        placeholder: '{app="x"}',
        tooltip: t('variable.selector-tip', 'Optional: of these streams only'),
      };
    case 'fieldNames':
    case 'fieldValues':
      return {
        label: t('variable.log-query', 'Log query'),
        placeholder: '{app="x"} | json',
        tooltip: t('variable.log-query-tip', 'Its newest lines are looked at'),
      };
    case 'query':
      return {
        label: t('variable.query', 'Query'),
        placeholder: 'topk(5, sum by (app) (rate({app=~".+"}[$__range])))',
        tooltip: 'LogQL',
      };
  }
}

/** Editor of a template variable. */
export function VariableEditor({ query, onChange, datasource, range }: Props) {
  const variable = readVariable(query);
  const change = (part: Partial<VariableQuery>) => onChange({ ...variable, ...part, refId: 'variable' });
  const { kind, label = '', expr = '' } = variable;
  const field = exprField(kind);
  const labelOptions = async (typed: string): Promise<Array<{ value: string; label: string }>> => {
    const names =
      kind === 'labelValues'
        ? await datasource.labels.labelNames(range)
        : (await datasource.labels.detectedFields(expr, range)).map((field) => field.label);
    return names.filter((name) => name.includes(typed)).map((name) => ({ value: name, label: name }));
  };

  return (
    <Stack direction="column" gap={0}>
      <InlineField label={t('variable.type', 'Query type')} labelWidth={20}>
        <Combobox
          aria-label={t('variable.type', 'Query type')}
          width={40}
          options={kinds()}
          value={kind}
          onChange={({ value }) => change({ kind: value })}
        />
      </InlineField>
      {(kind === 'labelValues' || kind === 'fieldValues') && (
        <InlineField
          label={kind === 'labelValues' ? t('variable.label', 'Label') : t('variable.field', 'Field')}
          labelWidth={20}
        >
          <Combobox
            aria-label={t('variable.label', 'Label')}
            width={40}
            createCustomValue
            options={labelOptions}
            value={label || null}
            onChange={(option: SelectableValue<string>) => change({ label: option.value })}
          />
        </InlineField>
      )}
      {kind === 'query' && (
        <InlineField
          label={t('variable.label', 'Label')}
          labelWidth={20}
          tooltip={t('variable.label-tip', 'Of each series or line. Empty: the numbers or lines themselves')}
        >
          <CommitInput
            id="cambium-variable-label"
            ariaLabel={t('variable.label', 'Label')}
            width={40}
            value={label}
            onCommit={(text) => change({ label: text.trim() })}
          />
        </InlineField>
      )}
      <InlineField label={field.label} labelWidth={20} tooltip={field.tooltip} grow>
        <CommitInput
          id="cambium-variable-expr"
          ariaLabel={field.label}
          placeholder={field.placeholder}
          value={expr}
          onCommit={(text) => change({ expr: text })}
        />
      </InlineField>
    </Stack>
  );
}

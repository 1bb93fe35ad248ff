import React from 'react';
import { QueryEditorProps, SelectableValue } from '@grafana/data';
import { Combobox, InlineField, Stack } from '@grafana/ui';

import { CommitInput } from '../components/CommitInput';
import type { CambiumDataSource } from '../datasource';
import { CambiumOptions, CambiumQuery } from '../types';
import { VariableKind, VariableQuery, readVariable } from './query';

type Props = QueryEditorProps<CambiumDataSource, CambiumQuery, CambiumOptions, VariableQuery>;

const KINDS: Array<{ value: VariableKind; label: string; description: string }> = [
  { value: 'labelValues', label: 'Label values', description: 'Values of a stream label' },
  { value: 'labelNames', label: 'Label names', description: 'Names of the stream labels' },
  { value: 'fieldValues', label: 'Field values', description: 'Values of a field in the newest lines' },
  { value: 'fieldNames', label: 'Field names', description: 'Fields found in the newest lines' },
  { value: 'query', label: 'Query result', description: 'Labels, numbers or lines that a query gives' },
];

const EXPR: Record<VariableKind, { label: string; placeholder: string; tooltip: string }> = {
  labelNames: { label: 'Stream selector', placeholder: '{app="x"}', tooltip: 'Optional: names of these streams only' },
  labelValues: {
    label: 'Stream selector',
    placeholder: '{app="x"}',
    tooltip: 'Optional: values of these streams only',
  },
  fieldNames: { label: 'Log query', placeholder: '{app="x"} | json', tooltip: 'Its newest lines are looked at' },
  fieldValues: { label: 'Log query', placeholder: '{app="x"} | json', tooltip: 'Its newest lines are looked at' },
  query: { label: 'Query', placeholder: 'topk(5, sum by (app) (rate({app=~".+"}[$__range])))', tooltip: 'LogQL' },
};

/** Editor of a template variable. */
export function VariableEditor({ query, onChange, datasource, range }: Props) {
  const variable = readVariable(query);
  const change = (part: Partial<VariableQuery>) => onChange({ ...variable, ...part, refId: 'variable' });
  const { kind, label = '', expr = '' } = variable;
  const labelOptions = async (typed: string): Promise<Array<{ value: string; label: string }>> => {
    const names =
      kind === 'labelValues'
        ? await datasource.labels.labelNames(range)
        : (await datasource.labels.detectedFields(expr, range)).map((field) => field.label);
    return names.filter((name) => name.includes(typed)).map((name) => ({ value: name, label: name }));
  };

  return (
    <Stack direction="column" gap={0}>
      <InlineField label="Query type" labelWidth={20}>
        <Combobox
          aria-label="Query type"
          width={40}
          options={KINDS}
          value={kind}
          onChange={({ value }) => change({ kind: value })}
        />
      </InlineField>
      {(kind === 'labelValues' || kind === 'fieldValues') && (
        <InlineField label={kind === 'labelValues' ? 'Label' : 'Field'} labelWidth={20}>
          <Combobox
            aria-label="Label"
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
          label="Label"
          labelWidth={20}
          tooltip="Of each series or line. Empty: the numbers or lines themselves"
        >
          <CommitInput
            id="cambium-variable-label"
            ariaLabel="Label"
            width={40}
            value={label}
            onCommit={(text) => change({ label: text.trim() })}
          />
        </InlineField>
      )}
      <InlineField label={EXPR[kind].label} labelWidth={20} tooltip={EXPR[kind].tooltip} grow>
        <CommitInput
          id="cambium-variable-expr"
          ariaLabel={EXPR[kind].label}
          placeholder={EXPR[kind].placeholder}
          value={expr}
          onCommit={(text) => change({ expr: text })}
        />
      </InlineField>
    </Stack>
  );
}

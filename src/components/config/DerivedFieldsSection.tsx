import React, { useState } from 'react';
import { DataSourceInstanceSettings } from '@grafana/data';
import { ConfigSection } from '@grafana/plugin-ui';
import { DataSourcePicker } from '@grafana/runtime';
import { Button, Divider, InlineField, InlineSwitch, RadioButtonGroup, Stack, Text, TextArea } from '@grafana/ui';

import { regexProblem } from '../../config/validate';
import { reader } from '../../derived/fields';
import { t } from '../../i18n';
import { DerivedField } from '../../types';
import { TextSetting } from './TextSetting';
import { ConfigProps, settersOf } from './settings';

const matchers = () => [
  { value: 'regex' as const, label: t('config.derived.in-line', 'Regex in line') },
  { value: 'label' as const, label: t('config.derived.of-label', 'Label') },
];

export function DerivedFieldsSection(props: ConfigProps) {
  const { jsonData, readOnly } = props.options;
  const { setJson } = settersOf(props);
  const [sample, setSample] = useState('');
  const fields = jsonData.derivedFields ?? [];
  const set = (derivedFields: DerivedField[]) => setJson({ derivedFields });

  return (
    <ConfigSection
      title={t('config.derived.title', 'Derived fields')}
      description={t(
        'config.derived.about',
        'Take something out of a line, such as a trace id, and link it to where it leads.'
      )}
      isCollapsible
      isInitiallyOpen={fields.length > 0}
    >
      {fields.map((field, i) => (
        <DerivedFieldForm
          key={i}
          index={i}
          field={field}
          sample={sample}
          disabled={readOnly}
          onChange={(next) => set(fields.map((one, j) => (j === i ? next : one)))}
          onRemove={() => set(fields.filter((_, j) => j !== i))}
        />
      ))}
      <Stack direction="column" gap={1} alignItems="flex-start">
        <Button
          variant="secondary"
          icon="plus"
          disabled={readOnly}
          onClick={() => set([...fields, { name: '', matcherType: 'regex', matcherRegex: '' }])}
        >
          {t('config.derived.add', 'Add derived field')}
        </Button>
        {fields.length > 0 && (
          <TextArea
            aria-label={t('config.derived.try', 'Line to try derived fields on')}
            placeholder={t('config.derived.try-hint', 'Paste a line here to see what the fields take out of it')}
            cols={80}
            rows={2}
            value={sample}
            onChange={(event) => setSample(event.currentTarget.value)}
          />
        )}
      </Stack>
    </ConfigSection>
  );
}

interface FormProps {
  index: number;
  field: DerivedField;
  sample: string;
  disabled?: boolean;
  onChange: (field: DerivedField) => void;
  onRemove: () => void;
}

function DerivedFieldForm({ index, field, sample, disabled, onChange, onRemove }: FormProps) {
  const change = (part: Partial<DerivedField>) => onChange({ ...field, ...part });
  const internal = field.datasourceUid !== undefined;
  const found = sample && field.matcherType !== 'label' ? reader(field)(sample, {}) : undefined;
  const id = `cambium-derived-${index}`;

  return (
    <div role="group" aria-label={t('config.derived.nth', 'Derived field {{n}}', { n: index + 1 })}>
      <TextSetting
        id={`${id}-name`}
        label={t('config.derived.name', 'Name')}
        placeholder="TraceID"
        value={field.name}
        disabled={disabled}
        onChange={(name) => change({ name })}
      />
      <InlineField label={t('config.derived.found-by', 'Found by')} labelWidth={24} disabled={disabled}>
        <RadioButtonGroup
          aria-label={t('config.derived.found-by', 'Found by')}
          options={matchers()}
          value={field.matcherType ?? 'regex'}
          onChange={(matcherType) => change({ matcherType })}
        />
      </InlineField>
      <TextSetting
        id={`${id}-regex`}
        label={
          field.matcherType === 'label'
            ? t('config.derived.label-regex', 'Label name (regex)')
            : t('config.derived.regex', 'Regex')
        }
        tooltip={t('config.derived.regex-tip', 'In a line, the first group is the value')}
        placeholder={field.matcherType === 'label' ? 'trace_?id' : 'traceID=(\\w+)'}
        value={field.matcherRegex}
        invalid={regexProblem(field.matcherRegex)}
        disabled={disabled}
        onChange={(matcherRegex) => change({ matcherRegex })}
      />
      <InlineField
        label={t('config.derived.internal', 'Internal link')}
        labelWidth={24}
        disabled={disabled}
        tooltip={t('config.derived.internal-tip', 'To a data source of this Grafana')}
      >
        <InlineSwitch
          id={`${id}-internal`}
          value={internal}
          onChange={(event) => change({ datasourceUid: event.currentTarget.checked ? '' : undefined })}
        />
      </InlineField>
      {internal && (
        <InlineField label={t('config.derived.data-source', 'Data source')} labelWidth={24} disabled={disabled}>
          <DataSourcePicker
            tracing
            noDefault
            current={field.datasourceUid || null}
            onChange={(settings: DataSourceInstanceSettings) => change({ datasourceUid: settings.uid })}
          />
        </InlineField>
      )}
      <TextSetting
        id={`${id}-url`}
        label={internal ? t('config.derived.query', 'Query') : 'URL'}
        tooltip={t('config.derived.url-tip', '{{variable}} stands for the value', { variable: '${__value.raw}' })}
        placeholder={internal ? '${__value.raw}' : 'https://example.com/${__value.raw}'}
        value={field.url}
        disabled={disabled}
        onChange={(url) => change({ url })}
      />
      <TextSetting
        id={`${id}-label`}
        label={t('config.derived.link-text', 'Link text')}
        placeholder={t('config.optional', 'optional')}
        value={field.urlDisplayLabel}
        disabled={disabled}
        onChange={(text) => change({ urlDisplayLabel: text || undefined })}
      />
      <Stack direction="row" gap={2} alignItems="center">
        <Button
          variant="destructive"
          fill="outline"
          size="sm"
          icon="trash-alt"
          disabled={disabled}
          onClick={onRemove}
          aria-label={t('config.derived.remove-one', 'Remove derived field {{name}}', {
            name: field.name || index + 1,
          })}
        >
          {t('config.derived.remove', 'Remove')}
        </Button>
        {sample && (
          <Text color={found ? 'success' : 'secondary'}>
            {found
              ? t('config.derived.found', 'Found: {{value}}', { value: found })
              : t('config.derived.not-found', 'Nothing found in the line')}
          </Text>
        )}
      </Stack>
      <Divider />
    </div>
  );
}

import React, { useState } from 'react';
import { TimeRange } from '@grafana/data';
import { Combobox, IconButton, InlineField, InlineFieldRow } from '@grafana/ui';

import { t } from '../i18n';
import { LabelClient } from '../labels/client';
import { matcherText } from '../logql/edit';
import { LabelMatcher, MatcherOp } from '../logql/tree';

interface Props {
  matcher: LabelMatcher;
  others: LabelMatcher[];
  labels: LabelClient;
  range?: TimeRange;
  onChange: (matcher: LabelMatcher) => void;
  /** Missing for the empty row that a new matcher is made in. */
  onRemove?: () => void;
}

const OPS: Array<{ value: MatcherOp; label: string }> = (['=', '!=', '=~', '!~'] as const).map((op) => ({
  value: op,
  label: op,
}));

export function MatcherRow({ matcher, others, labels, range, onChange, onRemove }: Props) {
  // A label without a value is no matcher yet: it stays here until it has one.
  const [label, setLabel] = useState(matcher.label);
  const isNew = !onRemove;
  const selector = `{${others.map(matcherText).join(', ')}}`;
  const options = (load: Promise<string[]>, typed: string) =>
    load.then((all) => all.filter((one) => one.includes(typed)).map((value) => ({ value, label: value })));

  return (
    <InlineFieldRow>
      <InlineField label={others.length && isNew ? ' ' : t('builder.label', 'Label')} labelWidth={14}>
        <Combobox
          aria-label={isNew ? t('builder.new-label', 'New label') : t('builder.label', 'Label')}
          placeholder={t('builder.choose-label', 'Choose a label')}
          width={24}
          createCustomValue
          options={(typed) => options(labels.labelNames(range, selector), typed)}
          value={(isNew ? label : matcher.label) || null}
          onChange={({ value }) => (isNew ? setLabel(value) : onChange({ ...matcher, label: value }))}
        />
      </InlineField>
      <Combobox
        aria-label={t('builder.operator', 'Operator')}
        width={10}
        options={OPS}
        value={matcher.op}
        onChange={({ value }) => !isNew && onChange({ ...matcher, op: value })}
      />
      <Combobox
        aria-label={
          isNew
            ? t('builder.new-value', 'New value')
            : t('builder.value-of', 'Value of {{label}}', { label: matcher.label })
        }
        placeholder={t('builder.choose-value', 'Choose a value')}
        width={32}
        createCustomValue
        disabled={isNew && !label}
        options={(typed) => options(labels.labelValues(isNew ? label : matcher.label, range, selector), typed)}
        value={matcher.value || null}
        onChange={({ value }) => {
          onChange({ ...matcher, label: isNew ? label : matcher.label, value });
          setLabel('');
        }}
      />
      {onRemove && (
        <IconButton
          name="times"
          tooltip={t('builder.remove', 'Remove {{label}}', { label: matcher.label })}
          onClick={onRemove}
        />
      )}
    </InlineFieldRow>
  );
}

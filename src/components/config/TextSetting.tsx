import React from 'react';
import { InlineField, Input } from '@grafana/ui';

interface Props {
  id: string;
  label: string;
  tooltip?: string;
  placeholder?: string;
  value?: string | number;
  type?: 'text' | 'number';
  disabled?: boolean;
  invalid?: string;
  onChange: (text: string) => void;
}

/** One setting that is a line of text. */
export function TextSetting({ id, label, tooltip, value = '', invalid, disabled, onChange, ...rest }: Props) {
  return (
    <InlineField
      label={label}
      labelWidth={24}
      tooltip={tooltip}
      interactive
      disabled={disabled}
      invalid={Boolean(invalid)}
      error={invalid}
    >
      <Input id={id} width={50} value={value} onChange={(event) => onChange(event.currentTarget.value)} {...rest} />
    </InlineField>
  );
}

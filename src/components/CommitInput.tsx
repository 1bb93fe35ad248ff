import React, { useState } from 'react';
import { Input } from '@grafana/ui';

export interface CommitInputProps {
  id: string;
  ariaLabel: string;
  value: string;
  /** Called with the new text when the field is left or Enter is pressed, not at every key. */
  onCommit: (text: string) => void;
  placeholder?: string;
  type?: 'text' | 'number';
  /** In units of the theme's grid. */
  width?: number;
  disabled?: boolean;
}

export function CommitInput({ id, ariaLabel, value, onCommit, type = 'text', ...rest }: CommitInputProps) {
  const [text, setText] = useState(value);
  const [shown, setShown] = useState(value);
  // A value that changed outside wins over a text that was not committed.
  if (shown !== value) {
    setShown(value);
    setText(value);
  }
  const commit = () => {
    if (text !== value) {
      onCommit(text);
    }
  };

  return (
    <Input
      id={id}
      aria-label={ariaLabel}
      type={type}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          commit();
        }
      }}
      {...rest}
    />
  );
}

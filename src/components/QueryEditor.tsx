import React from 'react';
import { QueryEditorProps } from '@grafana/data';
import { Stack } from '@grafana/ui';

import { CambiumDataSource } from '../datasource';
import { CambiumOptions, CambiumQuery } from '../types';
import { CodeField } from './editor/CodeField';
import { QueryOptions } from './editor/QueryOptions';

export type Props = QueryEditorProps<CambiumDataSource, CambiumQuery, CambiumOptions>;

export function QueryEditor({ query, onChange, onRunQuery }: Props) {
  return (
    <Stack direction="column" gap={1}>
      <CodeField value={query.expr ?? ''} onChange={(expr) => onChange({ ...query, expr })} onRunQuery={onRunQuery} />
      <QueryOptions query={query} onChange={onChange} onRunQuery={onRunQuery} />
    </Stack>
  );
}

import { useCallback, useEffect, useRef } from 'react';
import { HistoryItem, TimeRange } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import type { Monaco, MonacoEditor } from '@grafana/ui';

import { Source } from '../../completion/items';
import { completeWith } from '../../completion/provider';
import { LabelClient } from '../../labels/client';
import { CambiumQuery } from '../../types';
import { markProblems } from './markers';

interface Context {
  labels?: LabelClient;
  range?: TimeRange;
  history?: Array<HistoryItem<CambiumQuery>>;
}

/** Completion and error marks for a code field. The editor is mounted once and looks up the latest context. */
export function useEditorExtension(context: Context) {
  const current = useRef(context);
  useEffect(() => {
    current.current = context;
  });

  return useCallback((editor: MonacoEditor, monaco: Monaco) => {
    const ends = [markProblems(editor, monaco)];
    const model = editor.getModel();
    const { labels } = current.current;
    if (model && labels) {
      const source: Source = {
        labels,
        range: () => current.current.range,
        history: () => (current.current.history ?? []).map(({ query }) => query.expr ?? ''),
        variables: () =>
          getTemplateSrv()
            .getVariables()
            .map(({ name }) => name),
      };
      ends.push(completeWith(monaco, model, source));
    }
    return () => ends.forEach((end) => end());
  }, []);
}

import React, { useCallback, useEffect, useRef } from 'react';
import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Monaco, MonacoEditor, ReactMonacoEditor, useStyles2 } from '@grafana/ui';

import { t } from '../../i18n';
import { LANGUAGE_ID, registerLanguage } from './language';
import { EDITOR_OPTIONS } from './monacoOptions';
import { letTabOut } from './tabOut';

export interface CodeFieldProps {
  value: string;
  onChange: (expr: string) => void;
  onRunQuery: () => void;
  /** Attaches completion, markers and the like; returns what detaches them. */
  extend?: (editor: MonacoEditor, monaco: Monaco) => () => void;
  ariaLabel?: string;
}

/** Typing is reported when it pauses, so that a dashboard is not rebuilt at every key. */
const REPORT_AFTER_MS = 250;
const MIN_HEIGHT = 32;
const MAX_HEIGHT = 320;

export function CodeField({
  value,
  onChange,
  onRunQuery,
  extend,
  ariaLabel = t('editor.code', 'LogQL query'),
}: CodeFieldProps) {
  const styles = useStyles2(getStyles);
  const container = useRef<HTMLDivElement>(null);
  const detach = useRef<() => void>(undefined);

  // The editor keeps the handlers that it was mounted with; they look here for the current ones.
  const current = useRef({ value, onChange, onRunQuery });
  useEffect(() => {
    current.current = { value, onChange, onRunQuery };
  });
  useEffect(() => () => detach.current?.(), []);

  const onMount = useCallback(
    (editor: MonacoEditor, monaco: Monaco) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const report = () => {
        clearTimeout(timer);
        const text = editor.getValue();
        if (text !== current.current.value) {
          current.current.onChange(text);
        }
      };

      editor.onDidChangeModelContent(() => {
        clearTimeout(timer);
        timer = setTimeout(report, REPORT_AFTER_MS);
      });
      editor.onDidBlurEditorWidget(report);
      // Not addCommand: this Monaco binds commands for all editors of a page at once.
      editor.onKeyDown((event) => {
        const run = event.keyCode === monaco.KeyCode.Enter && (event.shiftKey || event.ctrlKey || event.metaKey);
        if (run) {
          event.preventDefault();
          event.stopPropagation();
          report();
          // The new text reaches the parent's state first.
          setTimeout(() => current.current.onRunQuery());
        }
      });

      letTabOut(editor, monaco);

      const fit = () => {
        const height = Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, editor.getContentHeight() + 2));
        if (container.current) {
          container.current.style.height = `${height}px`;
          editor.layout({ width: container.current.clientWidth, height: height - 2 });
        }
      };
      editor.onDidContentSizeChange(fit);
      fit();

      const undo = extend?.(editor, monaco);
      detach.current = () => {
        clearTimeout(timer);
        undo?.();
      };
    },
    [extend]
  );

  return (
    <div ref={container} className={styles.field} data-testid="cambium-code-field">
      <ReactMonacoEditor
        language={LANGUAGE_ID}
        value={value}
        options={{ ...EDITOR_OPTIONS, ariaLabel }}
        beforeMount={registerLanguage}
        onMount={onMount}
      />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  field: css({
    border: `1px solid ${theme.components.input.borderColor}`,
    borderRadius: theme.shape.radius.default,
    // The suggestion list must be able to leave the box.
    overflow: 'visible',
    width: '100%',
    minHeight: MIN_HEIGHT,
    '&:focus-within': {
      borderColor: theme.colors.primary.border,
    },
  }),
});

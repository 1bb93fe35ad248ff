import type { monacoTypes } from '@grafana/ui';

/** A code editor that looks like an input: no gutter, no map, grows with its text. */
export const EDITOR_OPTIONS: monacoTypes.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  codeLens: false,
  contextmenu: false,
  // The suggestion list is drawn outside of boxes that would cut it off.
  fixedOverflowWidgets: true,
  folding: false,
  fontSize: 14,
  hideCursorInOverviewRuler: true,
  lineDecorationsWidth: 8,
  lineHeight: 20,
  lineNumbers: 'off',
  minimap: { enabled: false },
  occurrencesHighlight: false,
  overviewRulerBorder: false,
  overviewRulerLanes: 0,
  padding: { top: 5, bottom: 5 },
  quickSuggestions: { strings: true, other: true, comments: false },
  renderLineHighlight: 'none',
  scrollBeyondLastLine: false,
  scrollbar: { vertical: 'auto', horizontal: 'hidden', alwaysConsumeMouseWheel: false },
  suggestFontSize: 12,
  // Words of the text are no knowledge of the store's labels.
  wordBasedSuggestions: false,
  wordWrap: 'on',
};

import type { Monaco, MonacoEditor } from '@grafana/ui';

import { firstProblem } from '../../logql/validate';

const OWNER = 'cambium';
/** A query is half written at most times; it is marked when typing pauses. */
const MARK_AFTER_MS = 400;

/** Underlines the first syntax error of an editor's text; returns what ends it. */
export function markProblems(editor: MonacoEditor, monaco: Monaco): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const mark = () => {
    const model = editor.getModel();
    if (!model) {
      return;
    }
    const problem = firstProblem(model.getValue());
    const [start, end] = problem ? [model.getPositionAt(problem.from), model.getPositionAt(problem.to)] : [];
    monaco.editor.setModelMarkers(
      model,
      OWNER,
      problem && start && end
        ? [
            {
              severity: monaco.MarkerSeverity.Error,
              message: problem.message,
              startLineNumber: start.lineNumber,
              startColumn: start.column,
              endLineNumber: end.lineNumber,
              endColumn: end.column,
            },
          ]
        : []
    );
  };
  const subscription = editor.onDidChangeModelContent(() => {
    clearTimeout(timer);
    timer = setTimeout(mark, MARK_AFTER_MS);
  });
  mark();
  return () => {
    clearTimeout(timer);
    subscription.dispose();
  };
}

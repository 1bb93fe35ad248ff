import type { Monaco, monacoTypes } from '@grafana/ui';

import { LANGUAGE_ID } from '../components/editor/language';
import { Item, ItemKind, Source, itemsFor } from './items';
import { situationAt } from './situation';

/** Sources by model: Monaco knows one provider per language, and a page may hold several editors. */
const sources = new Map<string, Source>();
const registered = new WeakSet<object>();

const TRIGGERS = ['{', ',', '"', '(', '[', '=', '~', '|', ' ', '$'];

/** Completes in the editor of a model from a source; returns what ends it. */
export function completeWith(monaco: Monaco, model: monacoTypes.editor.ITextModel, source: Source): () => void {
  const id = model.uri.toString();
  sources.set(id, source);
  if (!registered.has(monaco.languages)) {
    registered.add(monaco.languages);
    monaco.languages.registerCompletionItemProvider(LANGUAGE_ID, {
      triggerCharacters: TRIGGERS,
      provideCompletionItems: (at, position) => provide(monaco, at, position),
    });
  }
  return () => sources.delete(id);
}

async function provide(
  monaco: Monaco,
  model: monacoTypes.editor.ITextModel,
  position: monacoTypes.Position
): Promise<monacoTypes.languages.CompletionList> {
  const source = sources.get(model.uri.toString());
  if (!source) {
    return { suggestions: [] };
  }
  const situation = situationAt(model.getValue(), model.getOffsetAt(position));
  // Without an answer there is nothing to offer; the query itself will tell what is wrong.
  const items = await itemsFor(situation, source).catch((): Item[] => []);
  const line = model.getLineContent(position.lineNumber);
  const start = wordStart(
    line,
    position.column - 1,
    situation.kind === 'labelValue' || situation.kind === 'fieldValue'
  );
  const range = {
    startLineNumber: position.lineNumber,
    endLineNumber: position.lineNumber,
    startColumn: start + 1,
    endColumn: position.column,
  };
  return {
    suggestions: items.map((item, index) => ({
      label: item.detail ? { label: item.label, description: item.detail } : item.label,
      kind: kindOf(monaco, item.kind),
      insertText: item.insert,
      insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet,
      documentation: item.doc,
      filterText: item.label,
      sortText: String(index).padStart(5, '0'),
      range,
      command: item.again ? { id: 'editor.action.triggerSuggest', title: '' } : undefined,
    })),
  };
}

/** Where the text begins that an item replaces: a value may hold any character but the quote before it. */
export function wordStart(line: string, column: number, isValue: boolean): number {
  const before = line.slice(0, column);
  const word = isValue ? /[^"`=~]*$/.exec(before) : /(\|\s?|[!|][=~>]?|\$)?\w*$/.exec(before);
  const start = word ? word.index : column;
  // The pipe of a stage stays when only the stage's name is offered.
  return !isValue && /^\|\s*\w*$/.test(before.slice(start)) ? column - /\w*$/.exec(before)![0].length : start;
}

function kindOf(monaco: Monaco, kind: ItemKind): monacoTypes.languages.CompletionItemKind {
  const kinds = monaco.languages.CompletionItemKind;
  const map: Record<ItemKind, monacoTypes.languages.CompletionItemKind> = {
    label: kinds.Enum,
    value: kinds.EnumMember,
    field: kinds.Field,
    stage: kinds.Keyword,
    function: kinds.Function,
    duration: kinds.Unit,
    history: kinds.Reference,
    variable: kinds.Variable,
  };
  return map[kind];
}

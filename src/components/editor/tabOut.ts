import type { Monaco, MonacoEditor } from '@grafana/ui';

import { t } from '../../i18n';

const TABBABLE = 'a[href], button, input, select, textarea, [tabindex]';

/**
 * Tab leaves the field, as in a form, unless it takes a suggestion. Monaco has a mode for this, but only one switch for
 * all the editors of a page, others' included.
 */
export function letTabOut(editor: MonacoEditor, monaco: Monaco): void {
  const precondition = 'editorTextFocus && !suggestWidgetVisible && !inSnippetMode';
  const add = (id: string, label: string, keybinding: number, step: 1 | -1) =>
    editor.addAction({ id, label, keybindings: [keybinding], precondition, run: () => moveFocus(editor, step) });
  add('cambium.tab-out', t('editor.next-field', 'Go to the next field'), monaco.KeyCode.Tab, 1);
  add(
    'cambium.tab-back',
    t('editor.field-before', 'Go to the field before'),
    monaco.KeyMod.Shift | monaco.KeyCode.Tab,
    -1
  );
}

function moveFocus(editor: MonacoEditor, step: 1 | -1): void {
  const own = editor.getDomNode();
  const all = [...document.querySelectorAll<HTMLElement>(TABBABLE)].filter(
    (element) => element.tabIndex >= 0 && !element.hasAttribute('disabled') && element.getClientRects().length > 0
  );
  const inside = all.map((element) => own?.contains(element) ?? false);
  const at = step > 0 ? inside.lastIndexOf(true) + 1 : inside.indexOf(true) - 1;
  all[at]?.focus();
}

import { yaml } from '@codemirror/lang-yaml';
import { linter, lintGutter, type Diagnostic } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import type { FieldError } from '../api/types.js';

const LINT_DELAY_MS = 400;

/** Takes the lab's errors to where they stand in the text. */
export function diagnosticsOf(text: string, errors: readonly FieldError[]): Diagnostic[] {
  const lines = text.split('\n');
  return errors.map(({ field, message, mend, line = 1, column = 1 }) => {
    const row = Math.min(line, lines.length) - 1;
    const start = lines.slice(0, row).reduce((sum, each) => sum + each.length + 1, 0);
    const from = Math.min(start + column - 1, text.length);
    const end = Math.max(from, start + (lines[row]?.trimEnd().length ?? 0));
    return { from, to: end, severity: 'error', message: `${field === 'body' ? '' : `${field}: `}${message}. ${mend}` };
  });
}

/**
 * An editor for YAML that marks what the lab finds wrong with it.
 * @param check asks the lab; its errors are marked
 */
export function YamlEditor({
  initial,
  label,
  onChange,
  check,
}: {
  initial: string;
  label: string;
  onChange(text: string): void;
  check(text: string): Promise<readonly FieldError[]>;
}) {
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef({ onChange, check });
  latest.current = { onChange, check };
  useEffect(() => {
    if (!host.current) return;
    const view = new EditorView({
      parent: host.current,
      doc: initial,
      extensions: [
        basicSetup,
        yaml(),
        lintGutter(),
        EditorView.lineWrapping,
        linter(
          async ({ state }) => {
            const text = state.doc.toString();
            return diagnosticsOf(text, await latest.current.check(text));
          },
          { delay: LINT_DELAY_MS },
        ),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) latest.current.onChange(state.doc.toString());
        }),
      ],
    });
    return () => view.destroy();
    // The editor keeps its own text; another one is another editor.
  }, [initial, label]);
  return <div className="yaml-editor" ref={host} />;
}

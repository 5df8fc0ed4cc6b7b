import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react';
import type { FieldError } from '../api/types.js';
import { errorsOfField } from '../api/problem.js';
import { useRefocus } from '../lib/use-refocus.js';
import { FieldErrors } from '../components/field-errors.js';
import { newStep, type StepRow } from './form-state.js';

const KINDS: readonly { kind: StepRow['kind']; title: string; field: string; placeholder: string }[] = [
  { kind: 'expect', title: 'Wait for', field: 'Pattern', placeholder: 'regular expression, e.g. login:' },
  { kind: 'send', title: 'Type', field: 'Text', placeholder: 'text, e.g. root\\n' },
  { kind: 'run', title: 'Run', field: 'Command', placeholder: 'command for the shell, e.g. uname -a' },
  { kind: 'json', title: 'Step as JSON', field: 'JSON', placeholder: '{"test": "./run.sh", "format": "ktap"}' },
];
const kindOf = (name: string) => KINDS.find(({ kind }) => kind === name);

/** The job's script: wait for text, type text, run commands. */
export function StepsField({
  steps,
  errors,
  onChange,
}: {
  steps: readonly StepRow[];
  errors: readonly FieldError[];
  onChange(steps: StepRow[]): void;
}) {
  const { element, refocus } = useRefocus<HTMLDivElement>();
  const remove = (index: number): void => {
    refocus('.step-add button');
    onChange(steps.filter((_, at) => at !== index));
  };
  const replace = (index: number, change: Partial<StepRow>): void =>
    onChange(steps.map((step, at) => (at === index ? { ...step, ...change } : step)));
  const swap = (index: number, other: number): void => {
    const moved = [...steps];
    const [a, b] = [moved[index], moved[other]];
    if (!a || !b) return;
    moved[index] = b;
    moved[other] = a;
    onChange(moved);
  };
  return (
    <div ref={element} className="field" role="group" aria-labelledby="steps-label">
      <span className="label" id="steps-label">
        Steps <span className="optional">optional</span>
      </span>
      <span className="field-help">
        Done one after the other on the first console. The job passes when the last one is done; without steps, when the
        guest powers off.
      </span>
      {steps.length > 0 && (
        <ol className="steps">
          {steps.map((step, index) => {
            const own = errorsOfField(errors, `steps[${index}]`);
            return (
              <li key={step.key}>
                <span className="step-number tabular">{index + 1}</span>
                <select
                  className="input step-kind"
                  aria-label={`Kind of step ${index + 1}`}
                  value={step.kind}
                  onChange={(event) => replace(index, { kind: kindOf(event.target.value)?.kind ?? 'expect' })}
                >
                  {KINDS.map(({ kind, title }) => (
                    <option key={kind} value={kind}>
                      {title}
                    </option>
                  ))}
                </select>
                <input
                  className="input mono"
                  aria-label={`${kindOf(step.kind)?.field ?? ''} of step ${index + 1}`}
                  aria-invalid={own.length > 0}
                  aria-describedby={`step-${step.key}-errors`}
                  placeholder={kindOf(step.kind)?.placeholder}
                  spellCheck={false}
                  value={step.text}
                  onChange={(event) => replace(index, { text: event.target.value })}
                />
                <span className="step-actions">
                  <button
                    type="button"
                    className="button quiet icon small"
                    aria-label={`Move step ${index + 1} up`}
                    disabled={index === 0}
                    onClick={() => swap(index, index - 1)}
                  >
                    <ArrowUp size={15} aria-hidden />
                  </button>
                  <button
                    type="button"
                    className="button quiet icon small"
                    aria-label={`Move step ${index + 1} down`}
                    disabled={index === steps.length - 1}
                    onClick={() => swap(index, index + 1)}
                  >
                    <ArrowDown size={15} aria-hidden />
                  </button>
                  <button
                    type="button"
                    className="button quiet icon small"
                    aria-label={`Remove step ${index + 1}`}
                    onClick={() => remove(index)}
                  >
                    <Trash2 size={15} aria-hidden />
                  </button>
                </span>
                <div className="step-errors">
                  <FieldErrors id={`step-${step.key}-errors`} errors={own} />
                </div>
              </li>
            );
          })}
        </ol>
      )}
      <div className="step-add">
        <button type="button" className="button small" onClick={() => onChange([...steps, newStep('expect')])}>
          <Plus size={14} aria-hidden />
          Wait for text
        </button>
        <button type="button" className="button small" onClick={() => onChange([...steps, newStep('send')])}>
          <Plus size={14} aria-hidden />
          Type text
        </button>
        <button type="button" className="button small" onClick={() => onChange([...steps, newStep('run')])}>
          <Plus size={14} aria-hidden />
          Run a command
        </button>
        {steps.some((step) => step.kind === 'send') && (
          <span className="field-help">
            In typed text, <code>\n</code> is Enter; <code>\t</code>, <code>\e</code> and <code>\x03</code> work too.
          </span>
        )}
      </div>
    </div>
  );
}

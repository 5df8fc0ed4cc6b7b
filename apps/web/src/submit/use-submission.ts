import { useRef, useState, type FormEvent, type RefObject } from 'react';
import { useNavigate } from 'react-router';
import type { UploadProgress } from '../api/client.js';
import { errorsIn } from '../api/problem.js';
import { useSubmitJob } from '../api/queries.js';
import type { FieldError } from '../api/types.js';
import type { SpecWithFiles } from './form-state.js';

/** A form on its way to the lab: what is wrong with it, how far its files are, and what became of it. */
export interface Submission {
  readonly element: RefObject<HTMLFormElement | null>;
  readonly errors: readonly FieldError[];
  setErrors(change: (known: readonly FieldError[]) => readonly FieldError[]): void;
  /** What the lab or the way there said. */
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly progress: UploadProgress | undefined;
  readonly wasAborted: boolean;
  send(event: FormEvent): void;
  cancel(): void;
}

export function useSubmission({
  check,
  build,
  fieldOfUpload,
}: {
  /** What can be known to be wrong before anything is uploaded. */
  check(): readonly FieldError[];
  build(): SpecWithFiles;
  /** The form's field for a multipart field. */
  fieldOfUpload(upload: string): string;
}): Submission {
  const navigate = useNavigate();
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [progress, setProgress] = useState<UploadProgress>();
  const abort = useRef<AbortController>(undefined);
  const element = useRef<HTMLFormElement>(null);
  const submit = useSubmitJob();

  const showErrors = (found: readonly FieldError[]): void => {
    setErrors(found);
    // After the errors are on the page: the first bad field, so that the keyboard is where the mend is.
    requestAnimationFrame(() => {
      const first = element.current?.querySelector<HTMLElement>('[aria-invalid="true"], .form-errors');
      first?.scrollIntoView({ block: 'center' });
      first?.focus({ preventScroll: true });
    });
  };

  const send = (event: FormEvent): void => {
    event.preventDefault();
    const found = check();
    if (found.length > 0) {
      showErrors(found);
      return;
    }
    setErrors([]);
    setProgress(undefined);
    abort.current = new AbortController();
    submit.mutate(
      { ...build(), signal: abort.current.signal, onProgress: setProgress },
      {
        onSuccess: (job) => void navigate(`/jobs/${job.id}`),
        onError: (error) => showErrors(errorsIn(error).map((each) => ({ ...each, field: fieldOfUpload(each.field) }))),
      },
    );
  };

  return {
    element,
    errors,
    setErrors,
    error: submit.error,
    isPending: submit.isPending,
    progress,
    wasAborted: submit.error instanceof DOMException && submit.error.name === 'AbortError',
    send,
    cancel: () => abort.current?.abort(),
  };
}

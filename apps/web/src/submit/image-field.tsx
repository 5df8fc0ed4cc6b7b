import { X } from 'lucide-react';
import { useId } from 'react';
import { useImages } from '../api/queries.js';
import type { FieldError, Image, ImageRole } from '../api/types.js';
import { FileDrop } from '../components/file-drop.js';
import { Segmented } from '../components/segmented.js';
import { formatBytes, shortDigest } from '../lib/format.js';
import { archText, fitsRole } from '../lib/image.js';
import { useRefocus } from '../lib/use-refocus.js';
import { FieldErrors } from '../components/field-errors.js';
import { NO_IMAGE, type ImageChoice } from './form-state.js';

/** Where one image of the job comes from: a file, the library, the board itself, or nowhere. */
export function ImageField({
  label,
  help,
  role,
  choice,
  builtin,
  none = 'None',
  errors,
  onChange,
}: {
  label: string;
  help: string;
  /** What it means that there is no file. */
  none?: string;
  role: ImageRole;
  choice: ImageChoice;
  /** Reference of the image that comes with the board, where there is one for this role. */
  builtin?: string;
  errors: readonly FieldError[];
  onChange(choice: ImageChoice): void;
}) {
  const id = useId();
  const { element, refocus } = useRefocus<HTMLDivElement>();
  const pick = (file: File | undefined): void => {
    refocus(file ? '.picked-file button' : 'input[type=file]');
    onChange({ kind: 'upload', file });
  };
  const kinds = [
    { value: 'none', label: none },
    { value: 'upload', label: 'Upload' },
    { value: 'library', label: 'Library' },
    ...(builtin === undefined ? [] : [{ value: 'builtin', label: 'Self-test' } as const]),
  ] as const;
  const choose = (kind: ImageChoice['kind']): void => {
    if (kind === choice.kind) return;
    if (kind === 'none') onChange(NO_IMAGE);
    else if (kind === 'upload') onChange({ kind, file: undefined });
    else if (kind === 'library') onChange({ kind, reference: '', name: '' });
    else if (builtin !== undefined) onChange({ kind, reference: builtin });
  };
  return (
    <div
      ref={element}
      className="field image-field"
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={`${id}-errors`}
    >
      <div className="image-field-head">
        <span>
          <span className="label" id={`${id}-label`}>
            {label}
          </span>
          <span className="field-help">{help}</span>
        </span>
        <Segmented legend={`Source of the ${label}`} value={choice.kind} options={kinds} onChange={choose} />
      </div>
      {choice.kind === 'upload' &&
        (choice.file ? (
          <div className="picked-file">
            <span className="picked-name">{choice.file.name}</span>
            <span className="muted tabular">{formatBytes(choice.file.size)}</span>
            <button
              type="button"
              className="button quiet icon small"
              aria-label={`Remove ${choice.file.name}`}
              onClick={() => pick(undefined)}
            >
              <X size={15} aria-hidden />
            </button>
          </div>
        ) : (
          <FileDrop
            label={`Choose the ${label.toLowerCase()}`}
            describedBy={`${id}-errors`}
            invalid={errors.length > 0}
            onFiles={([file]) => file && pick(file)}
          />
        ))}
      {choice.kind === 'library' && (
        <LibrarySelect role={role} choice={choice} label={label} invalid={errors.length > 0} onChange={onChange} />
      )}
      {choice.kind === 'builtin' && (
        <div className="picked-file">
          <span className="picked-name">{choice.reference}</span>
          <span className="muted">comes with the board</span>
        </div>
      )}
      <FieldErrors id={`${id}-errors`} errors={errors} />
    </div>
  );
}

function LibrarySelect({
  role,
  choice,
  label,
  invalid,
  onChange,
}: {
  role: ImageRole;
  choice: Extract<ImageChoice, { kind: 'library' }>;
  label: string;
  invalid: boolean;
  onChange(choice: ImageChoice): void;
}) {
  const page = useImages();
  const images = page.data?.items ?? [];
  const fitting = images.filter((image) => fitsRole(image, role));
  const others = images.filter((image) => !fitsRole(image, role));
  const picked = images.find((image) => referenceTo(image) === choice.reference);
  return (
    <>
      <select
        className="input"
        aria-label={`${label} from the library`}
        aria-invalid={invalid}
        value={choice.reference}
        onChange={(event) => {
          const image = images.find((candidate) => referenceTo(candidate) === event.target.value);
          if (image) onChange({ kind: 'library', reference: referenceTo(image), name: image.name });
        }}
      >
        <option value="" disabled>
          {page.isPending ? 'Loading the library…' : images.length === 0 ? 'The library is empty' : 'Choose an image'}
        </option>
        {choice.reference !== '' && !picked && <option value={choice.reference}>{choice.name}</option>}
        <ImageOptions label={`Likely ${label.toLowerCase()} images`} images={fitting} />
        <ImageOptions label="Other images" images={others} />
      </select>
      {picked && (
        <span className="field-help">
          {picked.description} ·{' '}
          {[archText(picked), formatBytes(picked.sizeBytes)].filter((text) => text !== '').join(' · ')}
        </span>
      )}
      {page.error && <span className="field-error">{page.error.message}</span>}
    </>
  );
}

function ImageOptions({ label, images }: { label: string; images: readonly Image[] }) {
  if (images.length === 0) return null;
  return (
    <optgroup label={label}>
      {images.map((image) => (
        <option key={image.id} value={referenceTo(image)}>
          {image.name} ({shortDigest(image.sha256)})
        </option>
      ))}
    </optgroup>
  );
}

function referenceTo(image: Image): string {
  return `sha256:${image.sha256}`;
}

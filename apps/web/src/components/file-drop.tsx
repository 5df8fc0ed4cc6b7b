import { FileUp } from 'lucide-react';
import { useId, useState, type DragEvent } from 'react';

/** A file picker that also takes files dropped on it. */
export function FileDrop({
  label,
  describedBy,
  invalid = false,
  multiple = false,
  onFiles,
}: {
  label: string;
  describedBy?: string;
  invalid?: boolean;
  multiple?: boolean;
  onFiles(files: File[]): void;
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const files = [...event.dataTransfer.files];
    if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
  };
  return (
    <label
      className="file-drop"
      htmlFor={id}
      data-over={over || undefined}
      data-invalid={invalid || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <FileUp size={17} aria-hidden />
      <span>
        <strong>{label}</strong> <span className="muted">or drop {multiple ? 'them' : 'it'} here</span>
      </span>
      <input
        id={id}
        className="visually-hidden"
        type="file"
        multiple={multiple}
        aria-describedby={describedBy}
        aria-invalid={invalid}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // So that choosing the same file again is noticed too.
          event.target.value = '';
        }}
      />
    </label>
  );
}

import { useEffect, useRef, type ReactNode } from 'react';

/** A modal question before something that cannot be undone. The native dialog keeps the focus and closes on Escape. */
export function ConfirmDialog({
  open,
  title,
  children,
  confirmLabel,
  dismissLabel,
  onConfirm,
  onClose,
}: {
  open: boolean;
  title: string;
  children: ReactNode;
  confirmLabel: string;
  dismissLabel: string;
  onConfirm(): void;
  onClose(): void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className="dialog" onClose={onClose} aria-label={title}>
      <h2>{title}</h2>
      <p>{children}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {dismissLabel}
        </button>
        <button type="button" className="button primary danger" onClick={onConfirm}>
          {confirmLabel}
        </button>
      </div>
    </dialog>
  );
}

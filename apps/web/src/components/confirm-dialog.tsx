import { useEffect, useRef, type ReactNode } from 'react';

/**
 * A modal question before something that cannot be undone. The native dialog keeps the focus and closes on Escape; it has
 * given the focus back when it says what was answered.
 */
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
  const answer = (confirmed: boolean): void => {
    dialog.current?.close();
    onClose();
    if (confirmed) onConfirm();
  };
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-label={title}
      onCancel={() => answer(false)}
      // Closed by the browser; but not when the news of an earlier end comes after it was opened again.
      onClose={() => dialog.current?.open === false && onClose()}
    >
      <h2>{title}</h2>
      <p>{children}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => answer(false)}>
          {dismissLabel}
        </button>
        <button type="button" className="button primary danger" onClick={() => answer(true)}>
          {confirmLabel}
        </button>
      </div>
    </dialog>
  );
}

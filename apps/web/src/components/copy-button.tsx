import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

/** Says "copied" for a moment after its text went to the clipboard; returns the state and the action. */
export function useCopy(): [copied: boolean, copy: (text: string) => Promise<void>] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (text: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return [copied, copy];
}

/** A short text (a digest, an id) whose full form goes to the clipboard with a click. */
export function Copyable({ text, shown, label }: { text: string; shown: string; label: string }) {
  const [copied, copy] = useCopy();
  return (
    <button
      type="button"
      className="copyable"
      title={text}
      aria-label={`Copy ${label}: ${shown}`}
      onClick={() => void copy(text)}
    >
      <span>{shown}</span>
      {copied ? <Check size={12} aria-hidden /> : <Copy size={12} aria-hidden />}
    </button>
  );
}

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, copy] = useCopy();
  return (
    <button type="button" className="button small" onClick={() => void copy(text)}>
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      {copied ? 'Copied' : label}
    </button>
  );
}

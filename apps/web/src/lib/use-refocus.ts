import { useEffect, useRef, type RefObject } from 'react';

/**
 * For controls that vanish when they are used: the focus goes to another one, which is there after the change, so that the
 * keyboard is not lost.
 */
export function useRefocus<E extends HTMLElement>(): { element: RefObject<E | null>; refocus(selector: string): void } {
  const element = useRef<E>(null);
  const wanted = useRef<string>(undefined);
  // After every render: the change that was asked for may come with any.
  useEffect(() => {
    if (wanted.current === undefined) return;
    element.current?.querySelector<HTMLElement>(wanted.current)?.focus();
    wanted.current = undefined;
  });
  return {
    element,
    refocus(selector) {
      wanted.current = selector;
    },
  };
}

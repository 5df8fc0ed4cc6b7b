import { useEffect, useRef, type ReactNode } from 'react';

/** Links to the parts of a page. On a narrow screen they scroll sideways, and the one that is shown is in view. */
export function TabNav({ label, current, children }: { label: string; current: string; children: ReactNode }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const bar = nav.current;
    const tab = bar?.querySelector<HTMLElement>('[aria-current="page"]');
    if (!bar || !tab) return;
    // Also when the screen turns. Not scrollIntoView, which would move the page as well.
    const observer = new ResizeObserver(() => {
      bar.scrollLeft = tab.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
    });
    observer.observe(bar);
    return () => observer.disconnect();
  }, [current]);
  return (
    <nav ref={nav} className="tabs" aria-label={label}>
      {children}
    </nav>
  );
}

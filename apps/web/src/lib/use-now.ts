import { useEffect, useState } from 'react';

/** The current time, renewed every `periodMs` while `active`: for ages and elapsed times that tick. */
export function useNow(periodMs: number, active = true): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!active) return;
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), periodMs);
    return () => clearInterval(timer);
  }, [periodMs, active]);
  return now;
}

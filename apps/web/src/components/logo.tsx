export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden fill="none" strokeLinecap="round">
      <path
        d="M11 2v4M16 2v4M21 2v4M11 26v4M16 26v4M21 26v4M2 11h4M2 16h4M2 21h4M26 11h4M26 16h4M26 21h4"
        stroke="var(--accent)"
        strokeWidth="2"
        opacity="0.65"
      />
      <rect x="5.5" y="5.5" width="21" height="21" rx="4.5" fill="#0c7566" />
      <path d="m10.5 12 4 4-4 4M17 20.5h5" stroke="#fff" strokeWidth="2.4" strokeLinejoin="round" />
    </svg>
  );
}

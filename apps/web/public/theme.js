// Applies the stored theme before the first paint; src/lib/theme.ts owns the key and its values.
try {
  const theme = localStorage.getItem('bootlab.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme applies.
}

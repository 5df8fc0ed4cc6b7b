import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/shell.css';
import './styles/pages.css';
import './styles/settings.css';
import './styles/images.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { start } from './api/auth.js';
import { App } from './app.js';

void start();
// A sign-in link opened in this tab while the app is already shown changes only the address.
window.addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) void start();
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

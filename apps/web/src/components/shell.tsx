import {
  BookOpen,
  CircuitBoard,
  Grid3x3,
  HardDrive,
  ListChecks,
  LogOut,
  Monitor,
  Moon,
  Plus,
  Settings,
  Sun,
} from 'lucide-react';
import { Link, NavLink, Outlet, useNavigate } from 'react-router';
import { chooseProject, currentProject, signOut, useMe } from '../api/auth.js';
import { setThemeChoice, useThemeChoice, type ThemeChoice } from '../lib/theme.js';
import { Logo } from './logo.js';
import { Segmented } from './segmented.js';

/** The frame around every page: navigation, theme switch, sign-out. */
export function Shell() {
  return (
    <div className="shell">
      <a className="button skip-link" href="#main">
        Skip to content
      </a>
      <header className="sidebar">
        <Link to="/jobs" className="brand" aria-label="Bootlab">
          <Logo />
          <span className="brand-name">Bootlab</span>
        </Link>
        <Link to="/submit" className="button primary" title="New job">
          <Plus size={16} aria-hidden />
          <span>New job</span>
        </Link>
        <nav className="nav" aria-label="Main">
          <NavLink to="/jobs" className="nav-link" title="Jobs">
            <ListChecks size={17} aria-hidden />
            <span>Jobs</span>
          </NavLink>
          <NavLink to="/matrix" className="nav-link" title="Matrix">
            <Grid3x3 size={17} aria-hidden />
            <span>Matrix</span>
          </NavLink>
          <NavLink to="/boards" className="nav-link" title="Boards">
            <CircuitBoard size={17} aria-hidden />
            <span>Boards</span>
          </NavLink>
          <NavLink to="/images" className="nav-link" title="Images">
            <HardDrive size={17} aria-hidden />
            <span>Images</span>
          </NavLink>
        </nav>
        <div className="sidebar-foot">
          <ProjectSwitch />
          <NavLink to="/settings" className="nav-link" title="Settings">
            <Settings size={17} aria-hidden />
            <span>Settings</span>
          </NavLink>
          <a href="/api/docs" className="nav-link" title="API reference">
            <BookOpen size={17} aria-hidden />
            <span>API reference</span>
          </a>
          <button type="button" className="nav-link" title="Sign out" onClick={() => void signOut()}>
            <LogOut size={17} aria-hidden />
            <span>Sign out</span>
          </button>
          <ThemeSwitch />
        </div>
      </header>
      <main className="main" id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

/** For those who have several projects. Another one starts at its own jobs: what is shown now is not in it. */
export function ProjectSwitch() {
  const navigate = useNavigate();
  const { projects } = useMe();
  if (projects.length < 2) return null;
  return (
    <div className="project-switch">
      <select
        className="input small"
        aria-label="Project"
        value={currentProject()}
        onChange={(event) => {
          void navigate('/jobs');
          chooseProject(event.target.value);
        }}
      >
        {projects.map(({ id, name }) => (
          <option key={id}>{name}</option>
        ))}
      </select>
    </div>
  );
}

const THEMES: readonly { value: ThemeChoice; label: React.ReactNode; title: string }[] = [
  { value: 'system', label: <Monitor size={15} aria-label="System theme" />, title: 'As the system' },
  { value: 'light', label: <Sun size={15} aria-label="Light theme" />, title: 'Light' },
  { value: 'dark', label: <Moon size={15} aria-label="Dark theme" />, title: 'Dark' },
];

function ThemeSwitch() {
  const choice = useThemeChoice();
  return (
    <div className="theme-switch">
      <Segmented legend="Theme" value={choice} options={THEMES} onChange={setThemeChoice} />
    </div>
  );
}

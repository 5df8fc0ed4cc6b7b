import { Navigate, NavLink, useParams } from 'react-router';
import { currentProject, useMe, useScopes } from '../api/auth.js';
import { ProjectSwitch } from '../components/shell.js';
import { TabNav } from '../components/tab-nav.js';
import { keepRowFocus } from '../lib/row-focus.js';
import { useTitle } from '../lib/use-title.js';
import { AccountPanel } from '../settings/account-panel.js';
import { AuditPanel } from '../settings/audit-panel.js';
import { BadgesPanel } from '../settings/badges-panel.js';
import { LabPanel } from '../settings/lab-panel.js';
import { MembersPanel } from '../settings/members-panel.js';
import { TokensPanel } from '../settings/tokens-panel.js';
import { UsagePanel } from '../settings/usage-panel.js';
import { WebhooksPanel } from '../settings/webhooks-panel.js';
import { NotFoundPage } from './not-found-page.js';

/** Account, and what concerns the project as a whole; for operators also what concerns the lab. */
export function SettingsPage() {
  const { section } = useParams();
  const { operator } = useMe();
  const scopes = useScopes();
  const sections = [
    { path: 'account', title: 'Account', panel: <AccountPanel />, shown: true },
    { path: 'tokens', title: 'Tokens', panel: <TokensPanel />, shown: scopes.has('read') },
    { path: 'members', title: 'Members', panel: <MembersPanel />, shown: scopes.has('read') },
    { path: 'usage', title: 'Quota', panel: <UsagePanel />, shown: scopes.has('read') },
    { path: 'badges', title: 'Badges', panel: <BadgesPanel />, shown: scopes.has('read') },
    { path: 'webhooks', title: 'Webhooks', panel: <WebhooksPanel />, shown: scopes.has('maintain') },
    { path: 'audit', title: 'Audit log', panel: <AuditPanel />, shown: scopes.has('admin') },
    { path: 'lab', title: 'Lab', panel: <LabPanel />, shown: operator },
  ].filter(({ shown }) => shown);
  const current = sections.find(({ path }) => path === section);
  useTitle(current?.title ?? 'Settings');
  if (section === undefined) return <Navigate to="/settings/account" replace />;
  if (!current) return <NotFoundPage />;
  const project = currentProject();
  return (
    <div className="page" ref={keepRowFocus}>
      <div className="page-head">
        <div>
          <h1>Settings</h1>
          <p>{project === undefined ? 'You are in no project.' : `Project ${project}`}</p>
        </div>
        <div className="page-actions small-screen">
          <ProjectSwitch />
        </div>
      </div>
      <TabNav label="Settings" current={current.path}>
        {sections.map(({ path, title }) => (
          <NavLink key={path} to={`/settings/${path}`}>
            {title}
          </NavLink>
        ))}
      </TabNav>
      <div className="panels">{current.panel}</div>
    </div>
  );
}

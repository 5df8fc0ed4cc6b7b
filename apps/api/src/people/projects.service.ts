import { HttpStatus, Injectable } from '@nestjs/common';
import type { NewProject, Project, ProjectChange } from '@bootlab/lab';
import { Identities, ProjectNameTakenError, ProjectStore, type Identity, type Principal } from '@bootlab/lab/server';
import { requireScope } from '../auth/auth.guard.js';
import { invalidField, notFound, ProblemError } from '../problem/problem.js';

/** Projects and their quotas. */
@Injectable()
export class ProjectsService {
  constructor(
    private readonly projects: ProjectStore,
    private readonly identities: Identities,
  ) {}

  async list(identity: Identity): Promise<Project[]> {
    const grants = (await this.identities.projectsOf(identity)).filter(({ scopes }) => scopes.includes('read'));
    const projects = await Promise.all(grants.map(({ id }) => this.projects.get(id)));
    return projects.filter((project) => project !== undefined);
  }

  async create(project: NewProject): Promise<Project> {
    return uniqueName(this.projects.create(project));
  }

  async get({ projectId, projectName }: Principal): Promise<Project> {
    const project = await this.projects.get(projectId);
    if (!project) throw notFound(`project "${projectName}"`);
    return project;
  }

  /** Quotas are the operators' to set. */
  async change(principal: Principal, change: ProjectChange): Promise<Project> {
    if (change.quota) requireScope(principal, 'operator');
    return uniqueName(this.projects.change(principal.projectId, change));
  }

  async remove({ projectId }: Principal): Promise<void> {
    if (await this.projects.removeEmpty(projectId)) return;
    const message = 'There are jobs or images in this project';
    throw new ProblemError(HttpStatus.CONFLICT, message, [
      { field: 'project', message, mend: 'Take away its members instead: what is in it then stays, unseen.' },
    ]);
  }
}

async function uniqueName<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof ProjectNameTakenError)) throw error;
    throw invalidField('name', error.message, 'Choose another name.', HttpStatus.CONFLICT);
  }
}

import type { Schemas } from '@/shared/api/client';
import type { Panel, Site } from '@/shared/catalogue/queries';

import type { NewJob, Quality } from './queries';
import type { NewTemplate, Template } from './templates';

export type Build = NonNullable<NewJob['build']>;

export interface Parameters {
  name: string;
  phasing: NonNullable<NewJob['phasing']>;
  population: string;
  r2_filter: number;
  mode: NonNullable<NewJob['mode']>;
  priority: NonNullable<NewJob['priority']>;
}

/** A panel, and those at which its run goes on when its site has not taken it for so long (seconds). */
export interface Choice {
  panelId: string;
  alternateIds: string[];
  patience: number;
}

/** A job, or a template, that is being put together. */
export interface Draft {
  fileIds: string[];
  /** Null: what the files say. */
  build: Build | null;
  choices: Choice[];
  /** Where the data may go; none: anywhere. */
  countries: string[];
  /** Null until they have been looked at. */
  parameters: Parameters | null;
}

export const emptyDraft: Draft = { fileIds: [], build: null, choices: [], countries: [], parameters: null };

/** As the platform itself has it. */
const PATIENCE_S = 900;

export const choosePanel = (panelId: string): Choice => ({ panelId, alternateIds: [], patience: PATIENCE_S });

/** What is suggested: what is phased already is not phased again. */
export const suggestParameters = (phased: boolean): Parameters => ({
  name: '',
  phasing: phased ? 'no_phasing' : 'eagle',
  population: '',
  r2_filter: 0.3,
  mode: 'imputation',
  priority: 'normal',
});

/** The build on which all files agree, if they do. */
export function findBuild(qualities: Quality[]): Build | null {
  const builds = new Set(qualities.map((quality) => quality.build));
  const [only] = builds;
  return builds.size === 1 && (only === 'hg19' || only === 'hg38') ? only : null;
}

export const areUsable = (draft: Draft, qualities: Quality[]): boolean =>
  draft.fileIds.length > 0 &&
  qualities.length === draft.fileIds.length &&
  qualities.every((quality) => quality.verdict !== 'fail');

/** Populations that every chosen panel takes; they compare in any case of letters. */
export function findCommonPopulations(panels: Panel[]): string[] {
  const [first, ...others] = panels;
  const has = (panel: Panel, name: string) =>
    panel.populations.some((population) => population.toLowerCase() === name.toLowerCase());
  return first?.populations.filter((name) => others.every((panel) => has(panel, name))) ?? [];
}

/** A chosen panel with its alternates, as the catalogue has them now. */
export interface ChosenTarget {
  panel: Panel;
  alternates: Panel[];
  patience: number;
}

/** What of the draft can be had at all: panels that are offered, on the build, where the data may go. */
export function findTargets(draft: Draft, build: Build | null, panels: Panel[], sites: Site[]): ChosenTarget[] {
  const fits = (panel: Panel) => panel.build === build && mayGoTo(findSite(sites, panel), draft.countries);
  const find = (id: string) => panels.filter((panel) => panel.id === id && fits(panel));
  return draft.choices.flatMap(({ panelId, alternateIds, patience }) =>
    find(panelId).map((panel) => ({ panel, alternates: alternateIds.flatMap(find), patience })),
  );
}

export const findSite = (sites: Site[], panel: Panel): Site | undefined =>
  sites.find((site) => site.id === panel.service_id);

export const mayGoTo = (site: Site | undefined, countries: string[]): boolean =>
  countries.length === 0 || (site !== undefined && countries.includes(site.country.toUpperCase()));

export const listPanels = (targets: ChosenTarget[]): Panel[] =>
  targets.flatMap(({ panel, alternates }) => [panel, ...alternates]);

type Settings = Omit<NewTemplate, 'name' | 'shared'>;

const pointAt = (panel: Panel): Schemas['Choice'] => ({ service_id: panel.service_id, panel_id: panel.id });

export function toSettings(parameters: Parameters, build: Build, countries: string[], targets: ChosenTarget[]) {
  const { phasing, population, r2_filter, mode, priority } = parameters;
  return {
    build,
    phasing,
    population: population === '' ? null : population,
    r2_filter,
    mode,
    priority,
    residency: countries.length > 0 ? { countries } : null,
    targets: targets.map(({ panel, alternates, patience }) => ({
      ...pointAt(panel),
      alternates: alternates.map(pointAt),
      failover_after_s: patience,
    })),
  } satisfies Settings;
}

/** The draft with what the template says; what it leaves open stays as suggested. */
export function fillDraft(draft: Draft, template: Template): Draft {
  const suggested = suggestParameters(false);
  return {
    ...draft,
    build: template.build ?? null,
    countries: template.residency?.countries ?? [],
    choices: (template.targets ?? []).map(({ panel_id, alternates, failover_after_s }) => ({
      panelId: panel_id,
      alternateIds: alternates.map((alternate) => alternate.panel_id),
      patience: failover_after_s,
    })),
    parameters: {
      name: template.name,
      phasing: template.phasing ?? suggested.phasing,
      population: template.population ?? suggested.population,
      r2_filter: template.r2_filter ?? suggested.r2_filter,
      mode: template.mode ?? suggested.mode,
      priority: template.priority ?? suggested.priority,
    },
  };
}

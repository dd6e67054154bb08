import type { Panel } from '@/shared/catalogue/queries';

import type { NewJob, Quality } from './queries';

export type Build = NewJob['build'];

export interface Parameters {
  name: string;
  phasing: NewJob['phasing'];
  population: string;
  r2_filter: number;
  mode: NewJob['mode'];
}

/** A job that is being put together. */
export interface Draft {
  fileIds: string[];
  /** Null: what the files say. */
  build: Build | null;
  panelIds: string[];
  /** Null until they have been looked at. */
  parameters: Parameters | null;
}

export const emptyDraft: Draft = { fileIds: [], build: null, panelIds: [], parameters: null };

/** What is suggested: what is phased already is not phased again. */
export const suggestParameters = (phased: boolean): Parameters => ({
  name: '',
  phasing: phased ? 'no_phasing' : 'eagle',
  population: '',
  r2_filter: 0.3,
  mode: 'imputation',
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

export function toWish(fileIds: string[], parameters: Parameters, build: Build, panels: Panel[]): NewJob {
  const { name, phasing, population, r2_filter, mode } = parameters;
  return {
    name,
    input_file_ids: fileIds,
    build,
    phasing,
    population: population === '' ? null : population,
    r2_filter,
    mode,
    targets: panels.map((panel) => ({ service_id: panel.service_id, panel_id: panel.id, alternates: [] })),
    priority: 'normal',
  };
}

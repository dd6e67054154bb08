import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';

import { nameCountries } from '@/shared/format/countries';
import { formatDuration, formatMoment, secondsBetween } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageError } from '@/shared/ui/PageError';
import { PageHead } from '@/shared/ui/PageHead';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';
import { useNow } from '@/shared/ui/useNow';

import { type Job, useDecisions, useJob, useJobHistory, useResults, useSummary } from '@/features/jobs/api/queries';
import { isUnderWay, listCountries } from '@/features/jobs/api/states';

import { JobActions } from './JobActions';
import { RunSection } from './RunSection';

export function JobPage() {
  const { jobId = '' } = useParams();
  const job = useJob(jobId);
  if (job.error) return <PageError error={job.error} onRetry={job.refetch} />;
  return job.data ? <JobDetails job={job.data} /> : <Loading rows={4} />;
}

function JobDetails({ job }: { job: Job }) {
  const hasResults = job.runs.some((run) => run.results > 0);
  const history = useJobHistory(job.id).data ?? [];
  const results = useResults(job.id, hasResults);
  const summary = useSummary(job.id, hasResults);
  const decisions = useDecisions(job.id, listCountries(job).length > 0);
  return (
    <>
      <PageHead title={job.name} lead={<StatusMark status={job.status} />} actions={<JobActions job={job} />} />
      <JobFacts job={job} />
      {results.error && <ErrorNote error={results.error} onRetry={results.refetch} />}
      {job.runs.map((run) => (
        <RunSection
          key={run.id}
          jobId={job.id}
          run={run}
          decisions={decisions.data?.filter((decision) => decision.run_id === run.id) ?? []}
          updates={history}
          results={results.data?.filter((result) => result.run_id === run.id) ?? []}
          summary={summary.data?.find((part) => part.run_id === run.id) ?? null}
        />
      ))}
    </>
  );
}

const PHASINGS = ['eagle', 'beagle', 'no_phasing'] as const;
const PRIORITIES = ['high', 'normal', 'low'] as const;
const isPriority = (value: unknown): value is (typeof PRIORITIES)[number] =>
  PRIORITIES.some((known) => known === value);
const isPhasing = (value: unknown): value is (typeof PHASINGS)[number] => PHASINGS.some((known) => known === value);

function JobFacts({ job }: { job: Job }) {
  const { t, i18n } = useTranslation();
  const now = useNow(isUnderWay(job));
  const { phasing, priority } = job.parameters;
  const countries = listCountries(job);
  const text = (name: string): string => {
    const value = job.parameters[name];
    return value === null || value === undefined ? '–' : String(value);
  };
  return (
    <Section title={t('job.facts')}>
      <Readouts least="8.5rem">
        <Readout label={t('job.created')}>{formatMoment(job.created_at, i18n.language)}</Readout>
        <Readout label={t('job.took')}>
          {formatDuration(secondsBetween(job.created_at, job.finished_at, now), i18n.language)}
        </Readout>
        <Readout label={t('newJob.build')}>{text('build')}</Readout>
        <Readout label={t('newJob.phasing')}>
          {isPhasing(phasing) ? t(`newJob.phasings.${phasing}`) : text('phasing')}
        </Readout>
        <Readout label={t('newJob.population')}>{text('population')}</Readout>
        <Readout label={t('newJob.r2Filter')}>{text('r2_filter')}</Readout>
        {isPriority(priority) && <Readout label={t('newJob.priority')}>{t(`newJob.priorities.${priority}`)}</Readout>}
        {countries.length > 0 && (
          <Readout label={t('residency.goesTo')}>{nameCountries(countries, i18n.language)}</Readout>
        )}
      </Readouts>
    </Section>
  );
}

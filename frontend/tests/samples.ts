/** Things as the platform answers them. */
const AT = '2026-03-01T10:00:00Z';

export const site = {
  id: '11111111-0000-4000-8000-000000000001',
  name: 'Cape Town node',
  service_type: 'imputation',
  api_type: 'michigan',
  base_url: 'https://site.example.org',
  location: 'Cape Town',
  country: 'ZA',
  requires_auth: true,
  credential_shared: false,
  custom_ca: false,
  api_config: {},
  is_active: true,
  auto_deactivated_at: null,
  supported_formats: ['vcf.gz'],
  max_file_size_mb: null,
  min_samples: 20,
  max_samples: null,
  panels_count: 2,
  created_at: AT,
  updated_at: AT,
  health_status: 'healthy',
  is_available: true,
  response_time_ms: 41.7,
  error_message: null,
  last_health_check: AT,
  capabilities: {
    lists_panels: true,
    takes_files: true,
    finds_by_mark: true,
    cancels: true,
    hands_out_results: true,
    resumes_downloads: null,
    restarts: true,
    deletes: false,
  },
};

export const makePanel = (number: number, changes: object = {}) => ({
  id: `22222222-0000-4000-8000-00000000000${number}`,
  service_id: site.id,
  service_name: site.name,
  name: `Panel ${number}`,
  panel_id: `apps@panel${number}@1.0`,
  populations: ['AFR', 'mixed'],
  build: 'hg38',
  samples_count: 500,
  variants_count: 28_105,
  is_active: true,
  created_at: AT,
  updated_at: AT,
  ...changes,
});

export const file = {
  id: '33333333-0000-4000-8000-000000000001',
  filename: 'cohort.vcf.gz',
  size: 28_900,
  sha256: 'ab'.repeat(32),
  status: 'ready',
  created_at: AT,
};

export const quality = {
  verdict: 'pass',
  build: 'hg38',
  chromosomes: ['chr20'],
  samples: 50,
  variants: 1469,
  phased: true,
  has_chr_prefix: true,
  issues: [],
};

export const run = {
  id: '44444444-0000-4000-8000-000000000001',
  service_id: site.id,
  panel_id: makePanel(1).id,
  status: 'completed',
  progress: 100,
  external_job_id: 'job-7',
  external_status: 'success',
  queue_position: null,
  next_try_at: null,
  attempts: 1,
  message: 'All 4 result files are stored and checked.',
  error: null,
  submitted_at: AT,
  finished_at: AT,
  results: 1,
  alternates: [],
  cancel_requested_at: null,
  move_requested_at: null,
  estimated_finish_at: null,
  is_slow: false,
  pace: '',
};

export const job = {
  id: '55555555-0000-4000-8000-000000000001',
  name: 'Cohort A',
  status: 'completed',
  progress: 100,
  created_at: AT,
  started_at: AT,
  finished_at: '2026-03-01T10:02:05Z',
  input_file_ids: [file.id],
  parameters: { build: 'hg38', phasing: 'eagle', population: 'AFR', r2_filter: 0.3 },
  runs: [run],
};

export const account = {
  id: '66666666-0000-4000-8000-000000000001',
  email: 'researcher@example.org',
  email_verified: false,
  email_verification: 'off',
  full_name: 'Researcher',
  affiliation: null,
  organization: { id: '77777777-0000-4000-8000-000000000001', name: 'Example Institute' },
  roles: ['researcher'],
  permissions: [],
  tier: 'development',
  is_active: true,
  mfa_enabled: false,
  created_at: AT,
};

const noLimit = { used: 3, most: null };
const noLimits = { running_runs: noLimit, jobs_per_month: noLimit, input_bytes_per_month: noLimit };

export const noQuota = {
  tier: 'standard',
  month_ends_at: '2026-04-01T00:00:00Z',
  person: noLimits,
  organization: noLimits,
};

export const otherSite = {
  ...site,
  id: '11111111-0000-4000-8000-000000000002',
  name: 'Nairobi node',
  location: 'Nairobi',
  country: 'KE',
  capabilities: { ...site.capabilities, cancels: false },
};

export const template = {
  id: '88888888-0000-4000-8000-000000000001',
  name: 'Usual panels',
  shared: false,
  is_own: true,
  build: 'hg38',
  phasing: 'beagle',
  population: 'AFR',
  r2_filter: 0.5,
  mode: 'imputation',
  priority: 'high',
  residency: { countries: ['KE', 'ZA'] },
  targets: [{ service_id: site.id, panel_id: makePanel(1).id, alternates: [], failover_after_s: 900 }],
  created_at: AT,
  updated_at: AT,
};

import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { COUNTRIES, nameCountry } from '@/shared/format/countries';
import { Section } from '@/shared/ui/Section';

interface Props {
  countries: string[];
  sites: Site[];
  onChange: (countries: string[]) => void;
}

/** Where the data may go. Countries that have a site come first: among those there is something to choose. */
export function ResidencyChoice({ countries, sites, onChange }: Props) {
  const { t, i18n } = useTranslation();
  const withSites = new Set(sites.map((site) => site.country.toUpperCase()));
  const name = (code: string) => nameCountry(code, i18n.language);
  const options = [...COUNTRIES].sort(
    (one, other) =>
      Number(withSites.has(other)) - Number(withSites.has(one)) || name(one).localeCompare(name(other), i18n.language),
  );
  return (
    <Section title={t('residency.title')}>
      <Autocomplete
        multiple
        disableCloseOnSelect
        options={options}
        value={countries}
        getOptionLabel={name}
        groupBy={(code) => t(withSites.has(code) ? 'residency.withSites' : 'residency.others')}
        onChange={(_, chosen) => onChange(chosen)}
        noOptionsText={t('residency.noMatch')}
        openText={t('common.open')}
        closeText={t('common.close')}
        clearText={t('common.clear')}
        renderInput={(field) => (
          <TextField
            {...field}
            label={t('residency.countries')}
            helperText={t(countries.length > 0 ? 'residency.only' : 'residency.anywhere')}
          />
        )}
        sx={{ mt: 1, maxWidth: 640 }}
      />
    </Section>
  );
}

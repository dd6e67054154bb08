import Autocomplete from '@mui/material/Autocomplete';
import TextField from '@mui/material/TextField';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { COUNTRIES, nameCountry } from '@/shared/format/countries';
import { Section } from '@/shared/ui/Section';

interface Props {
  countries: string[];
  sites: Site[];
  onChange: (countries: string[]) => void;
}

function order(first: Set<string>, language: string): string[] {
  const { compare } = new Intl.Collator(language);
  const named = COUNTRIES.map((code) => ({ code, name: nameCountry(code, language), last: !first.has(code) }));
  return named
    .sort((one, other) => Number(one.last) - Number(other.last) || compare(one.name, other.name))
    .map(({ code }) => code);
}

/** Where the data may go. Countries that have a site come first: among those there is something to choose. */
export function ResidencyChoice({ countries, sites, onChange }: Props) {
  const { t, i18n } = useTranslation();
  const withSites = useMemo(() => new Set(sites.map((site) => site.country.toUpperCase())), [sites]);
  const options = useMemo(() => order(withSites, i18n.language), [withSites, i18n.language]);
  return (
    <Section title={t('residency.title')}>
      <Autocomplete
        multiple
        disableCloseOnSelect
        options={options}
        value={countries}
        getOptionLabel={(code) => nameCountry(code, i18n.language)}
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

import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { collectPages } from '@/shared/api/pages';
import { unwrap } from '@/shared/api/problem';

export type Site = Schemas['ServiceItem'];
export type Panel = Schemas['PanelItem'];

const fetchSites = () =>
  collectPages((cursor) => unwrap(api.GET('/api/v1/services', { params: { query: { limit: 200, cursor } } })));

const fetchPanels = () =>
  collectPages((cursor) => unwrap(api.GET('/api/v1/panels', { params: { query: { limit: 200, cursor } } })));

export const useSites = () => useQuery({ queryKey: ['sites'], queryFn: fetchSites });

export const usePanels = () => useQuery({ queryKey: ['panels'], queryFn: fetchPanels });

/** Names for ids; an id that the catalogue does not know (any more) is shortened, since no name is left of it. */
export function useCatalogueNames() {
  const sites = useSites();
  const panels = usePanels();
  const named = (items: { id: string; name: string }[] | undefined, id: string) =>
    items?.find((item) => item.id === id)?.name ?? id.slice(0, 8);
  return {
    nameSite: (id: string) => named(sites.data, id),
    namePanel: (id: string) => named(panels.data, id),
  };
}

"""service_registry: the catalogue of sites and panels as researchers see it, and the health of every site."""

"""What the registry does, free of HTTP: applying documents, probing sites, judging and answering."""

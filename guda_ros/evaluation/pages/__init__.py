"""Reports: pages, charts, pictures and films."""

"""Other formats: bags and logs that are imported, data sets that are exported."""

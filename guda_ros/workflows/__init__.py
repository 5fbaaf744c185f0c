"""What the verbs of `guda` do, as functions: record, train, evaluate, the whole demo."""

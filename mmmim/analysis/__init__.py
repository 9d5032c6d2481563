"""Pure functions that look at models and at results; tools/analysis calls them."""

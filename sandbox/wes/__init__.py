"""A GA4GH WES site that other people wrote (sapporo), whose only workflow is the sandbox's imputation engine."""

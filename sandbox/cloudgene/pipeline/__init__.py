"""What the site does with a job, in a process of its own: validation, quality control, imputation, archives."""

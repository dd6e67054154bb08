"""An imputation site that speaks the REST API of Cloudgene 3 and runs a pipeline like imputationserver2."""

"""Imputation engines behind one function: Beagle or Minimac4 where installed, otherwise Li and Stephens."""

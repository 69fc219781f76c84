"""The questions that a study file lets print be asked: which numbers belong together, found by what its entries say they are."""

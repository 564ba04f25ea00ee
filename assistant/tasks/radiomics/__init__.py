"""Radiomics: features of a region, and models of a cohort."""

"""Statistics: resampling, paired tests, calibration."""

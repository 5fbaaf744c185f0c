"""Guided data augmentation: functions on segments, guides, validity and the pipeline."""

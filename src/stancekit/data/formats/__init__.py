"""File formats: one file each, all under the protocol of base.py."""

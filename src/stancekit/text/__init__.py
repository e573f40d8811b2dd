"""Text and offsets: segmentation, tokens, quotation marks, tags, and what is derived from spans."""

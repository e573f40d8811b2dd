"""What an encoder reads: texts as pieces in windows, words over pieces, batches of rows."""

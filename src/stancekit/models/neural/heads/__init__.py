"""What stands on an encoder: heads with their losses, and answers as rows of numbers and back."""

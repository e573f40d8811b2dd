"""A language model of one's own as an annotator: prompts from the codebook, and its answers checked."""

from stancekit.prompting.answering import Answers, answers
from stancekit.prompting.asking import Requests, prompt

__all__ = ["Answers", "Requests", "answers", "prompt"]

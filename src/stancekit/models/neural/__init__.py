"""Models on pretrained encoders: the only place that imports torch and transformers."""
